#include "tine/channel_end.hpp"

#include <utility>

#include "process/peer.hpp"

namespace tine {

bool ChannelEnd::send(const nlohmann::json& message, SendCallback sent) const {
  return peer_ && peer_->end().send(message, std::move(sent));
}

bool ChannelEnd::send_built(const Object& message, SendCallback sent) const {
  return peer_ && peer_->end().send(message, std::move(sent));
}

bool ChannelEnd::send_built(const Array& message, SendCallback sent) const {
  return peer_ && peer_->end().send(message, std::move(sent));
}

bool ChannelEnd::send_text(Text text, SendCallback sent) const {
  return peer_ && peer_->end().send(text, std::move(sent));
}

bool ChannelEnd::send(const nlohmann::json& message, Handle handle, SendOptions options,
                      SendCallback sent) const {
  return peer_ && peer_->send(message, handle, options.keep_open, std::move(sent));
}

bool ChannelEnd::send_built(const Object& message, Handle handle, SendOptions options,
                            SendCallback sent) const {
  return peer_ && peer_->send(message, handle, options.keep_open, std::move(sent));
}

bool ChannelEnd::send_built(const Array& message, Handle handle, SendOptions options,
                            SendCallback sent) const {
  return peer_ && peer_->send(message, handle, options.keep_open, std::move(sent));
}

bool ChannelEnd::send_text(Text text, Handle handle, SendOptions options, SendCallback sent) const {
  return peer_ && peer_->send(text, handle, options.keep_open, std::move(sent));
}

void ChannelEnd::disconnect() const {
  if (peer_) peer_->end().disconnect();
}
bool ChannelEnd::connected() const { return peer_ && peer_->end().connected(); }
Channel ChannelEnd::channel() const {
  return peer_ ? Channel(process::Peer::end_of(peer_)) : Channel();
}

}  // namespace tine
