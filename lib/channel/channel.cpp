#include "channel/endpoint.hpp"
#include "tine/channel_end.hpp"

namespace tine {

void Channel::ref() const {
  if (end_) end_->set_ref(true);
}
void Channel::unref() const {
  if (end_) end_->set_ref(false);
}
void Channel::pause() const {
  if (end_) end_->set_paused(true);
}
void Channel::resume() const {
  if (end_) end_->set_paused(false);
}
bool Channel::flush() const { return !end_ || end_->flush(); }
bool Channel::open() const { return end_ && !end_->closed(); }
std::size_t Channel::queued_bytes() const { return end_ ? end_->queued() : 0; }
std::size_t Channel::torn_bytes() const { return end_ ? end_->torn() : 0; }
std::size_t Channel::lost_messages() const { return end_ ? end_->lost_messages() : 0; }
bool Channel::peer_has_read_all() const { return !end_ || end_->peer_has_read_all(); }

bool ChannelEnd::send(const nlohmann::json& message, SendCallback sent) const {
  return end_ && end_->send(message, std::move(sent));
}

bool ChannelEnd::send_text(Text text, SendCallback sent) const {
  return end_ && end_->send(text, std::move(sent));
}

bool ChannelEnd::send(const nlohmann::json& message, Handle handle, SendOptions options,
                      SendCallback sent) const {
  return end_ && end_->send(message, handle, options.keep_open, std::move(sent));
}

bool ChannelEnd::send_text(Text text, Handle handle, SendOptions options, SendCallback sent) const {
  return end_ && end_->send(text, handle, options.keep_open, std::move(sent));
}

void ChannelEnd::disconnect() const {
  if (end_) end_->disconnect();
}
bool ChannelEnd::connected() const { return end_ && end_->connected(); }
Channel ChannelEnd::channel() const { return Channel(end_); }

}  // namespace tine
