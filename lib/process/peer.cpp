#include "process/peer.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tine/error.hpp"

namespace tine::process {

namespace {

Error mismatch(const std::vector<std::string>& reasons) {
  std::string all;
  for (const std::string& reason : reasons) all += (all.empty() ? "" : "; ") + reason;
  return Error(Errc::message_type, "a message is not what its listener takes: " + all);
}

}  // namespace

Peer::Peer(uv::LoopCore& core, const ChannelOptions& options, Serialization serialization)
    : Resident(core), end_(core, *this, options, serialization), handles_(end_) {
  end_.router().add(channel::Router::Offers::internal,
                    [this](nlohmann::json& message, channel::ReceivedDescriptors*) {
                      return handles_.take(message);
                    });
}

bool Peer::send(const nlohmann::json& message, const Handle& handle, bool keep_open,
                SendCallback sent) {
  return send_with(message, handle, keep_open, sent);
}

bool Peer::send(Text message, const Handle& handle, bool keep_open, SendCallback sent) {
  return send_with(message, handle, keep_open, sent);
}

// A handle is not touched if the message is lost anyway.
template <class Form>
bool Peer::send_with(const Form& message, const Handle& handle, bool keep_open,
                     SendCallback& sent) {
  if (!end_.connected()) return end_.send(message, std::move(sent));
  channel::PassedHandle passed;
  try {
    passed = handles_.pass(handle, keep_open);
  } catch (const Error& error) {
    end_.report(error, std::move(sent));
    return false;
  }
  return end_.send(message, std::move(passed), std::move(sent));
}

void Peer::route_internal(InternalRoute route) {
  end_.router().add(channel::Router::Offers::internal,
                    [this, route = std::move(route)](nlohmann::json& message,
                                                     channel::ReceivedDescriptors* beside) {
                      const std::optional<Handle> handle = handle_from(beside);
                      return handle && route(message, *handle);
                    });
}

void Peer::on_message(const channel::ReceivedMessage& received) {
  Handle beside;
  if (received.beside != nullptr) {
    std::optional<Handle> handle = handle_from(received.beside);
    if (!handle) return;
    beside = std::move(*handle);
  }
  Message message(received.text, &received.value, std::move(beside));
  try {
    emit_message(message);
  } catch (...) {
    // A conversion failure is reported even if a later listener throws.
    if (!message.failures().empty()) end_.report(mismatch(message.failures()));
    throw;
  }
  if (!message.failures().empty()) on_error(mismatch(message.failures()));
}

// Returns the handle that the descriptors become, an empty one if there are none, or nothing after
// an "error", because they are not what their line announces.
std::optional<Handle> Peer::handle_from(channel::ReceivedDescriptors* beside) {
  if (beside == nullptr) return Handle();
  try {
    return handles_.receive(*core(), beside->line, std::move(beside->descriptors));
  } catch (const Error& error) {
    on_error(error);
    return std::nullopt;
  }
}

}  // namespace tine::process
