#pragma once

#include <cstddef>
#include <system_error>

#include "channel/context.hpp"
#include "channel/outbox.hpp"
#include "uv/event_sequence.hpp"

namespace tine::channel {

// What the user learns of sent messages, on later turns: callbacks and errors.
class SendReports {
 public:
  SendReports(const Context& context, Outbox& outbox) : context_(context), outbox_(outbox) {}

  // Must be called when the outbox may have callbacks that are due.
  void look() noexcept;
  // Reports messages that are given up without a callback.
  void lost(std::size_t messages, std::error_code why) noexcept;
  // Reports a handle that is given up.
  void handle_failed(std::error_code why) noexcept;

 private:
  // In the order in which they are reported. refused: PassedHandle::refused.
  enum class Due { sent, lost, failed_handles, refused };

  void schedule(Due event) noexcept;
  void emit(Due event);
  void call_sent();
  void call_refused();
  void report_lost();
  void report_failed_handles();

  const Context& context_;
  Outbox& outbox_;
  std::size_t lost_ = 0;  // not reported yet
  std::error_code lost_because_;
  std::size_t failed_handles_ = 0;  // not reported yet
  std::error_code failed_because_;
  uv::EventSequence<Due> due_{[this](Due event) { emit(event); }};
};

}  // namespace tine::channel
