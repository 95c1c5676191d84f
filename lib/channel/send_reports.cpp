#include "channel/send_reports.hpp"

#include <string>
#include <utility>

namespace tine::channel {

void SendReports::look() noexcept {
  if (outbox_.due() > 0) schedule(Due::sent);
  if (outbox_.has_refused()) schedule(Due::refused);
}

void SendReports::lost(std::size_t messages, std::error_code why) noexcept {
  if (messages == 0) return;
  lost_ = messages;
  lost_because_ = why;
  schedule(Due::lost);
}

void SendReports::handle_failed(std::error_code why) noexcept {
  ++failed_handles_;
  failed_because_ = why;
  schedule(Due::failed_handles);
}

void SendReports::schedule(Due event) noexcept {
  due_.schedule(event, context_.core(), context_.owner().shared_from_this());
}

void SendReports::emit(Due event) {
  switch (event) {
    case Due::sent: return call_sent();
    case Due::lost: return report_lost();
    case Due::failed_handles: return report_failed_handles();
    case Due::refused: return call_refused();
  }
}

// Calls only the callbacks that are due now: those of messages sent by a callback wait for the next
// turn.
void SendReports::call_sent() {
  for (std::size_t left = outbox_.due(); left > 0; --left) {
    due_.set_due(Due::sent, outbox_.due() > 1);
    outbox_.call_first_due();
  }
}

void SendReports::call_refused() {
  for (const auto& refused : outbox_.take_refused()) refused();
}

void SendReports::report_lost() {
  const auto count = std::to_string(std::exchange(lost_, 0));
  context_.owner().on_loss(Error(
      lost_because_, count + " sent message(s) could not be written before the channel closed"));
}

void SendReports::report_failed_handles() {
  std::string text = std::to_string(std::exchange(failed_handles_, 0)) +
                     " handle(s) sent beside messages are given up, and closed here";
  if (failed_because_ == Errc::invalid_handle_type) text += "; only a peer that is tine takes them";
  context_.owner().on_error(Error(failed_because_, text));
}

}  // namespace tine::channel
