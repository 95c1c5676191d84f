#include "uv/signal.hpp"

#include <new>
#include <utility>

namespace tine {

namespace uv {

SignalState::SignalState(LoopCore& core, bool once, Listener listener)
    : Resident(core), once_(once), listener_(std::make_shared<Listener>(std::move(listener))) {
  auto wake = std::make_unique<uv_async_t>();
  const int failed = uv_async_init(core.native(), wake.get(), [](uv_async_t* handle) {
    if (auto* const self = static_cast<SignalState*>(handle->data)) {
      self->core()->enter(
          [self] { self->core()->defer(self->emission_, self->shared_from_this()); });
    }
  });
  if (failed < 0) throw std::bad_alloc();
  wake_.reset(wake.release());
  wake_->data = this;
  set_ref(false);
}

std::shared_ptr<SignalState> SignalState::start(LoopCore& core, int signal, bool once,
                                                Listener listener) {
  const std::shared_ptr<SignalState> state(new SignalState(core, once, std::move(listener)));
  state->SignalTarget::start(signal);
  core.keep(state);
  return state;
}

// uv_async_send() may be called in a signal handler.
void SignalState::arrived(bool from_kernel) noexcept {
  ++came_[from_kernel];
  uv_async_send(wake_.get());
}

std::optional<Signal> SignalState::take() {
  for (const bool from_kernel : {true, false}) {
    if (came_[from_kernel] == 0) continue;
    --came_[from_kernel];
    return Signal{signal(), from_kernel};
  }
  return std::nullopt;
}

// Defers the rest first, because the listener may throw.
void SignalState::emit() {
  const auto listener = listener_;
  const auto signal = listener ? take() : std::nullopt;
  if (!signal) return;
  if (once_) {
    cancel();
  } else if (waiting()) {
    core()->defer(emission_, shared_from_this());
  }
  (*listener)(*signal);
}

void SignalState::cancel() {
  LoopCore* const loop = core();
  if (!wake_) return;
  const auto keep = shared_from_this();
  stop();
  wake_.reset();
  if (loop != nullptr) loop->release(*this);
  // Destroyed when this returns: the captures may hold this listener.
  const auto captures = std::exchange(listener_, nullptr);
}

void SignalState::set_ref(bool ref) {
  check_thread();
  if (usable(wake_)) uv::set_ref(wake_, ref);
}

void SignalState::loop_closing() noexcept { cancel(); }

}  // namespace uv

SignalListener on_signal(Loop& loop, int signal, Callback<void(const Signal&)> listener) {
  return uv::SignalState::start(core_of(loop), signal, false, std::move(listener))->handle();
}

SignalListener once_signal(Loop& loop, int signal, Callback<void(const Signal&)> listener) {
  return uv::SignalState::start(core_of(loop), signal, true, std::move(listener))->handle();
}

SignalListener::SignalListener(std::shared_ptr<uv::SignalState> state) : state_(std::move(state)) {}

void SignalListener::cancel() const {
  if (state_) state_->cancel();
}

void SignalListener::ref() const {
  if (state_) state_->set_ref(true);
}

void SignalListener::unref() const {
  if (state_) state_->set_ref(false);
}

}  // namespace tine
