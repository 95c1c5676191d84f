#include "tine/stream.hpp"

#include <utility>

#include "net/stream_state.hpp"

namespace tine {

namespace net {

Stream StreamState::handle() {
  return Stream(std::static_pointer_cast<StreamState>(shared_from_this()));
}

void StreamState::give_up() noexcept {
  errors_dropped_ = true;
  if (bytes_.readable() || bytes_.writable()) {
    bytes_.destroy();
  } else {
    bytes_.open_closed();
  }
}

void StreamState::when_closed(std::function<void()> observer) {
  if (closed_) return observer();
  observer_ = std::move(observer);
}

// Without a listener an error is an exception.
void StreamState::on_error(Error error) {
  if (list<"error">().count() > 0) {
    emit<"error">(error);
  } else if (!errors_dropped_) {
    throw error;
  }
}

// Drops all that is the user's: a listener that holds a handle to this would keep it for ever.
void StreamState::on_closed() {
  const auto keep = shared_from_this();
  closed_ = true;
  errors_dropped_ = errors_dropped_ || list<"error">().count() > 0;
  clear();
  core()->release(*this);
  if (const auto observer = std::exchange(observer_, nullptr)) observer();
}

void StreamState::loop_closing() noexcept {
  const auto keep = shared_from_this();
  bytes_.detach();
  clear();
  const auto dropped = std::exchange(observer_, nullptr);
}

std::shared_ptr<StreamState> make_stream(uv::LoopCore& core, uv::Descriptor descriptor,
                                         Direction direction) {
  const auto state = std::make_shared<StreamState>(core);
  state->bytes().open(std::move(descriptor), direction);
  core.keep(state);
  return state;
}

}  // namespace net

Stream::Stream(std::shared_ptr<net::StreamState> state)
    : Emitter(state), state_(std::move(state)) {}

bool Stream::write(std::string_view bytes, SendCallback written) {
  return state_->bytes().write(bytes, std::move(written));
}

void Stream::end(std::string_view last) { state_->bytes().end(last); }
void Stream::destroy() { state_->bytes().destroy(); }
void Stream::pause() { state_->bytes().set_flowing(false); }
void Stream::resume() { state_->bytes().set_flowing(true); }
bool Stream::readable() const { return state_->bytes().readable(); }
bool Stream::writable() const { return state_->bytes().writable(); }
std::size_t Stream::queued_bytes() const { return state_->bytes().queued(); }
void Stream::ref() { state_->bytes().set_ref(true); }
void Stream::unref() { state_->bytes().set_ref(false); }

}  // namespace tine
