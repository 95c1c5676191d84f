#include "tine/wait_for_message.hpp"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tine/child_process.hpp"
#include "tine/loop.hpp"
#include "tine/process.hpp"

namespace tine {

namespace {

// One wait, owned by its listeners and its timer. It holds a view of the emitter, because the
// emitter itself may be destroyed first.
template <class EmitterView>
class Wait : public std::enable_shared_from_this<Wait<EmitterView>> {
 public:
  Wait(EmitterView emitter, Channel channel, WaitOptions options, WaitCallback done)
      : emitter_(std::move(emitter)),
        channel_(std::move(channel)),
        options_(std::move(options)),
        done_(std::move(done)) {}

  // A channel that has ended may still have stored messages. They are delivered before any timer.
  void start(Loop& loop) {
    const auto self = this->shared_from_this();
    subscriptions_.reserve(2);
    timer_ = loop.after(channel_.open() ? options_.deadline : std::chrono::milliseconds(0), [self] {
      self->end(self->channel_.open() ? Errc::timed_out : Errc::channel_closed, {});
    });
    try {
      subscriptions_.push_back(emitter_.template on<"message">(
          [self](const nlohmann::json& message) { self->look_at(message); }));
      subscriptions_.push_back(
          emitter_.template on<"disconnect">([self] { self->end(Errc::channel_closed, {}); }));
    } catch (...) {
      cancel();
      throw;
    }
  }

 private:
  void look_at(const nlohmann::json& message) {
    if (!options_.filter || options_.filter(message)) end({}, message);
  }

  // The first call ends the wait and drops its listeners and its timer, which own this object.
  // `done` is held here, and the caller holds the captures of the listener or timer that runs.
  void end(std::error_code error, const nlohmann::json& message) {
    if (!done_) return;
    const auto done = std::exchange(done_, nullptr);
    cancel();
    done(error, message);
  }

  void cancel() {
    timer_.cancel();
    for (const Subscription& subscription : subscriptions_) emitter_.off(subscription);
  }

  EmitterView emitter_;
  Channel channel_;
  WaitOptions options_;
  WaitCallback done_;
  std::vector<Subscription> subscriptions_;
  Timer timer_;
};

template <class... Events>
void wait(Loop& loop, const Emitter<Events...>& emitter, Channel channel, WaitOptions options,
          WaitCallback done) {
  using View = Emitter<Events...>;
  std::make_shared<Wait<View>>(View(emitter), std::move(channel), std::move(options),
                               std::move(done))
      ->start(loop);
}

}  // namespace

void wait_for_message(Loop& loop, ChildProcess child, WaitOptions options, WaitCallback done) {
  wait(loop, child, child.channel(), std::move(options), std::move(done));
}

void wait_for_message(Loop& loop, Process& process, WaitOptions options, WaitCallback done) {
  wait(loop, process, process.channel(), std::move(options), std::move(done));
}

}  // namespace tine
