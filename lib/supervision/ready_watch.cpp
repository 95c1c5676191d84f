#include "supervision/ready_watch.hpp"

#include <new>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "channel/router.hpp"
#include "process/access.hpp"
#include "process/peer.hpp"
#include "supervision/patience.hpp"
#include "supervision/readiness.hpp"
#include "tine/rpc.hpp"
#include "uv/task.hpp"

namespace tine::supervision {

using channel::Router;

// The watch itself, which the child's listeners share with the ReadyWatch. They are removed when the
// outcome is known, which is told on a later turn: it may be found while a message is delivered. From then
// on no memory is needed.
class ReadyWatch::Watching : public std::enable_shared_from_this<Watching> {
 public:
  Watching(uv::LoopCore& core, const ChildProcess& child, Done done)
      : core_(core), child_(child), done_(std::move(done)) {}

  void start(const Ready& ready, std::chrono::milliseconds deadline) {
    const auto self = shared_from_this();
    const auto ended = [self] { self->settle({Started::As::ended}); };
    subscriptions_.reserve(2);
    subscriptions_.push_back(child_.pid() ? child_.once<"exit">(ended)
                                          : child_.once<"close">(ended));
    if (!child_.pid()) return;
    patience_.emplace(core_, [this] { settle({Started::As::late}); });
    patience_->start(deadline);
    if (const Readiness* const how = ready.how()) {
      how->method.empty() ? await_message(how->value) : ask(*how);
    } else {
      subscriptions_.push_back(
          child_.once<"spawn">([self] { self->settle({Started::As::ready}); }));
    }
  }

  void end() noexcept {
    done_ = nullptr;
    detach();
  }

 private:
  // A route is offered each message once, also while there is no listener. It holds no reference to
  // this: detach() removes it.
  void await_message(const nlohmann::json& expected) {
    const auto look = [this, expected](nlohmann::json& message, channel::ReceivedDescriptors*) {
      if (message == expected) settle({Started::As::ready});
      return false;
    };
    route_ = router().add(Router::Offers::user, look);
  }

  void ask(const Readiness& how) {
    const auto answered = [self = shared_from_this()](const Result<nlohmann::json>& result) {
      if (result) return self->settle({Started::As::ready});
      if (result.error().code() == Errc::channel_closed) return;  // its end is told otherwise
      self->settle({Started::As::refused, result.error()});
    };
    const Rpc rpc(child_);
    call_ = how.value.is_null() ? rpc.request(how.method).then(answered)
                                : rpc.request(how.method, how.value).then(answered);
  }

  Router& router() const { return process::Access::peer_of(child_)->end().router(); }

  void settle(Started outcome) {
    if (outcome_ || !done_) return;
    const auto self = shared_from_this();
    outcome_ = std::move(outcome);
    detach();
    core_.defer(telling_, self);
  }

  void detach() noexcept {
    patience_.reset();
    cancel_call();
    if (route_) router().remove(*route_);
    route_.reset();
    for (const Subscription subscription : std::exchange(subscriptions_, {})) {
      child_.off(subscription);
    }
  }

  // Without memory the peer does not learn that nobody waits for its answer.
  void cancel_call() noexcept try { call_.cancel(); } catch (const std::bad_alloc&) {
  }

  void tell() {
    const auto done = std::exchange(done_, nullptr);
    if (done) done(*outcome_);
  }

  uv::LoopCore& core_;
  ChildProcess child_;
  Done done_;
  std::vector<Subscription> subscriptions_;
  std::optional<std::size_t> route_;
  Call call_;
  std::optional<Patience> patience_;
  std::optional<Started> outcome_;
  uv::Task telling_{[this] { tell(); }};
};

ReadyWatch::ReadyWatch(uv::LoopCore& core, const ChildProcess& child, const Ready& ready,
                       std::chrono::milliseconds deadline, Done done)
    : watching_(std::make_shared<Watching>(core, child, std::move(done))) {
  try {
    watching_->start(ready, deadline);
  } catch (...) {
    watching_->end();
    throw;
  }
}

ReadyWatch::~ReadyWatch() { watching_->end(); }

}  // namespace tine::supervision
