#include "tine/stream.hpp"

#include <utility>

#include "net/stream_state.hpp"

namespace tine {

namespace net {

Stream StreamState::handle() {
  return handle_of(std::static_pointer_cast<StreamState>(shared_from_this()));
}

bool StreamState::write(std::string_view bytes, SendCallback written) {
  return this->bytes().write(bytes, std::move(written));
}

void StreamState::give_up() noexcept {
  drop_errors();
  if (bytes().readable() || bytes().writable()) {
    bytes().destroy();
  } else {
    bytes().open_closed();
  }
}

std::shared_ptr<StreamState> make_stream(uv::LoopCore& core, base::Descriptor descriptor,
                                         Direction direction) {
  const auto state = std::make_shared<StreamState>(core);
  state->bytes().open(std::move(descriptor), direction);
  core.keep(state);
  return state;
}

}  // namespace net

Stream::Stream(std::shared_ptr<net::StreamBackend> state)
    : Emitter(state), state_(std::move(state)) {}

bool Stream::write(std::string_view bytes, SendCallback written) const {
  return state_ && state_->write(bytes, std::move(written));
}

void Stream::end(std::string_view last) const {
  if (state_) state_->end(last);
}
void Stream::destroy() const {
  if (state_) state_->destroy();
}
void Stream::pause() const {
  if (state_) state_->set_flowing(false);
}
void Stream::resume() const {
  if (state_) state_->set_flowing(true);
}
bool Stream::readable() const { return state_ && state_->readable(); }
bool Stream::writable() const { return state_ && state_->writable(); }
std::size_t Stream::queued_bytes() const { return state_ ? state_->queued_bytes() : 0; }
void Stream::ref() const {
  if (state_) state_->set_ref(true);
}
void Stream::unref() const {
  if (state_) state_->set_ref(false);
}

}  // namespace tine
