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

Peer::~Peer() { retire_attachment(); }

bool Peer::send(base::ValueRef message, const Handle& handle, bool keep_open, SendCallback sent) {
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

channel::Endpoint::Tried Peer::try_send(base::ValueRef message, const Handle& handle,
                                        bool keep_open) {
  if (!handle || !end_.connected()) return end_.try_send(message, nullptr);
  try {
    channel::PassedHandle passed = handles_.pass(handle, keep_open);
    return end_.try_send(message, &passed);
  } catch (const Error& error) {
    return {.refused = error};
  }
}

void Peer::attach(std::shared_ptr<Attachment> attachment) {
  attachment_ = std::move(attachment);
  end_.router().add(channel::Router::Offers::user,
                    [this](nlohmann::json& message, channel::ReceivedDescriptors* beside) {
                      return attachment_->take(message, beside);
                    });
}

void Peer::on_pong() {
  if (attachment_) attachment_->pong();
}

void Peer::on_ended() {
  handles_.channel_ended();
  if (attachment_) attachment_->channel_ended();
}

void Peer::tell_attachment_of_drain() noexcept {
  if (attachment_) attachment_->drained();
}

void Peer::retire_attachment() noexcept {
  if (attachment_) attachment_->retired();
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
