#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>

#include "tine/signal.hpp"
#include "uv/loop_core.hpp"
#include "uv/signal_target.hpp"

namespace tine::uv {

// The state behind tine::SignalListener. The signal handler counts signals and wakes the loop,
// which then calls the listener once a turn.
//
// Not a uv_signal_t: it does not say who sent the signal. Its end leaves the signal at its default,
// which for SIGPIPE, ignored by the first Loop, would end the program.
class SignalState final : public Resident,
                          private SignalTarget,
                          public std::enable_shared_from_this<SignalState> {
 public:
  using Listener = Callback<void(const Signal&)>;

  // Throws Error.
  static std::shared_ptr<SignalState> start(LoopCore& core, int signal, bool once,
                                            Listener listener);

  SignalListener handle() { return SignalListener(shared_from_this()); }
  void cancel();
  void set_ref(bool ref);
  void loop_closing() noexcept override;

 private:
  SignalState(LoopCore& core, bool once, Listener listener);

  void arrived(bool from_kernel) noexcept override;
  bool waiting() const { return came_[false] + came_[true] > 0; }
  std::optional<Signal> take();
  void emit();

  bool once_;
  std::shared_ptr<Listener> listener_;  // shared with a running call, which may cancel
  UvHandle<uv_async_t> wake_;
  std::array<std::atomic<unsigned>, 2> came_{};  // not emitted yet: of processes, of the kernel
  Task emission_{[this] { emit(); }};
};

}  // namespace tine::uv
