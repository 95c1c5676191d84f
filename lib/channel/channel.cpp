#include "tine/channel.hpp"

#include "channel/endpoint.hpp"

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

}  // namespace tine
