#include "tine/channel.hpp"

#include "channel/endpoint.hpp"

namespace tine {

void Channel::ref() { end_->set_ref(true); }
void Channel::unref() { end_->set_ref(false); }
void Channel::pause() { end_->set_paused(true); }
void Channel::resume() { end_->set_paused(false); }
bool Channel::flush() { return end_->flush(); }
std::size_t Channel::queued_bytes() const { return end_->queued(); }

}  // namespace tine
