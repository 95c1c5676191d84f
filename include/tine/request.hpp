// A request to the peer, and what comes of it.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

#include "tine/callback.hpp"
#include "tine/channel_end.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/detail/rpc_result.hpp"
#include "tine/detail/wait.hpp"
#include "tine/handle.hpp"
#include "tine/rpc_error.hpp"

namespace tine::rpc {
class Pending;
}

namespace tine {

namespace detail {
class AwaitedRequest;
class UnsentRequest;
}  // namespace detail

// What came of a request: a value, or the error that says why there is none.
template <class T = nlohmann::json>
class Result {
 public:
  Result(T value, Handle beside = {}) : outcome_(std::move(value)), handle_(std::move(beside)) {}
  Result(RpcError error) : outcome_(std::move(error)) {}

  // Whether there is a value.
  explicit operator bool() const { return outcome_.index() == 0; }

  // The value. Throws error() if there is none.
  const T& value() const& {
    if (!*this) error().raise();
    return *std::get_if<0>(&outcome_);
  }
  T&& value() && {
    if (!*this) error().raise();
    return std::move(*std::get_if<0>(&outcome_));
  }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }

  // The error. There must be no value.
  const RpcError& error() const { return *std::get_if<1>(&outcome_); }

  // What came beside the answer; empty if nothing did.
  const Handle& handle() const { return handle_; }

 private:
  std::variant<T, RpcError> outcome_;
  Handle handle_;
};

// A request that then() has sent. A handle: see Emitter. Dropping it changes nothing: the request goes on.
class TINE_EXPORT Call {
 public:
  Call() = default;

  // False for an empty handle.
  explicit operator bool() const { return pending_ != nullptr; }

  // Gives the request up: its callback gets Errc::aborted, and the peer is told ($/cancelRequest). A
  // no-op if the answer has come, or the request has failed.
  void cancel() const;
  // Whether the callback is still to be called.
  bool pending() const;

 private:
  friend class detail::AwaitedRequest;
  friend class detail::UnsentRequest;
  explicit Call(std::shared_ptr<rpc::Pending> pending);

  std::shared_ptr<rpc::Pending> pending_;
};

namespace detail {

// The part of a Request that does not depend on the type of its result.
class TINE_EXPORT UnsentRequest {
 public:
  explicit UnsentRequest(std::shared_ptr<rpc::Pending> pending);
  UnsentRequest(UnsentRequest&&) noexcept = default;
  UnsentRequest& operator=(UnsentRequest&&) noexcept = default;
  ~UnsentRequest() = default;

  void set_deadline(std::chrono::milliseconds deadline);
  // Does that unless the request has an earlier one.
  void limit(std::chrono::milliseconds deadline);
  void set_stop(std::stop_token token);
  void set_handle(Handle handle, SendOptions options);
  void set_progress(Callback<void(const nlohmann::json&)> listener);
  void set_progress(const nlohmann::json& token, Callback<void(const nlohmann::json&)> listener);
  Call send(Callback<void(rpc::Outcome&)> done);

 private:
  std::shared_ptr<rpc::Pending> pending_;
};

// The part of an awaited request that does not depend on the type of its result.
class TINE_EXPORT AwaitedRequest : public task::Wait {
 protected:
  explicit AwaitedRequest(UnsentRequest unsent) : unsent_(std::move(unsent)) {}
  ~AwaitedRequest() override;

  // Throws why there is no outcome, as an RpcError.
  void check_outcome() const;

 private:
  // The task goes on after that, even if this throws.
  virtual void came(rpc::Outcome& outcome) = 0;

  void begin() override;
  void end() noexcept override;

  UnsentRequest unsent_;
  Call call_;
  bool has_come_ = false;
};

}  // namespace detail

// A request to be sent, by then() or, in a tine::Task, by co_await. Without them it is never sent.
//
//   rpc.request("add", {{"a", 1}, {"b", 2}}).within(1s).then([](tine::Result<int> sum) {
//     std::cout << (sum ? std::to_string(*sum) : sum.error().what()) << std::endl;
//   });
//
//   const int sum = co_await rpc.request<int>("add", tine::object("a", 1, "b", 2)).within(1s);
//
// Each modifier replaces what it was given before.
template <class T = nlohmann::json>
class [[nodiscard]] Request {
 public:
  explicit Request(detail::UnsentRequest unsent) : unsent_(std::move(unsent)) {}
  Request(Request&&) noexcept = default;
  Request& operator=(Request&&) noexcept = default;
  ~Request() = default;

  // How long to wait for the answer, from then() on, the time that the request waits to be written
  // included. The peer is told; its handler may ask what is left. Then the request fails with
  // Errc::timed_out, and is cancelled at the peer. Without this, it waits until the channel ends.
  //
  // An answer that the kernel holds when the time is over is read first: a process that was stopped
  // (SIGSTOP, a debugger) for longer gets the answers that came in time.
  Request&& within(std::chrono::milliseconds deadline) && {
    unsent_.set_deadline(deadline);
    return std::move(*this);
  }

  // Gives the request up as Call::cancel() does when a stop is requested, which any thread may do. If
  // that was before then(), nothing is sent.
  Request&& stop(std::stop_token token) && {
    unsent_.set_stop(std::move(token));
    return std::move(*this);
  }

  // Sends a handle beside the request: see ChannelEnd::send().
  Request&& with(Handle handle, SendOptions options = {}) && {
    unsent_.set_handle(std::move(handle), options);
    return std::move(*this);
  }

  // Sets the listener of the values that the handler reports while it works, as const
  // nlohmann::json&. They bear the id of the request, or `token`, if the params tell the peer so. Values
  // with such a token that come after the request has ended are ordinary messages.
  template <class F>
  Request&& on_progress(F&& listener) && {
    unsent_.set_progress(Callback<void(const nlohmann::json&)>(std::forward<F>(listener)));
    return std::move(*this);
  }
  template <class F>
  Request&& on_progress(const nlohmann::json& token, F&& listener) && {
    unsent_.set_progress(token, Callback<void(const nlohmann::json&)>(std::forward<F>(listener)));
    return std::move(*this);
  }

  // Sends the request. `done` is called once, on a later turn of the loop. It is destroyed uncalled
  // if the loop goes away first, and if the Rpc is an empty handle. It takes a Result of any type that the value converts to with get<>(), or nothing. For a
  // generic lambda that is a Result<T>.
  template <class Done>
  Call then(Done&& done) && {
    using Function = std::decay_t<Done>;
    if constexpr (!detail::takes_result<Function, T>()) {
      static_assert(detail::takes_result<Function, T>(),
                    "tine: the callback of a request takes a tine::Result, or nothing");
      return Call();
    } else {
      return unsent_.send(detail::ResultCallback<Function, T>{Function(std::forward<Done>(done))});
    }
  }

  // Sends the request, and returns the value of its Result, or throws the error. A stop and a deadline
  // of the task act as stop() and within() do; the earlier deadline counts, and travels. So does the
  // destruction of the task: the peer is told. A handle beside the answer is closed; then() gets it.
  class Awaiter;
  Awaiter operator co_await() && { return Awaiter(std::move(unsent_)); }

 private:
  detail::UnsentRequest unsent_;
};

template <class T>
class Request<T>::Awaiter final : public detail::AwaitedRequest {
 public:
  explicit Awaiter(detail::UnsentRequest unsent) : AwaitedRequest(std::move(unsent)) {}

  T await_resume() {
    check_outcome();
    return std::move(*result_).value();
  }

 private:
  void came(rpc::Outcome& outcome) override { result_.emplace(detail::result_of<T>(outcome)); }

  std::optional<Result<T>> result_;
};

}  // namespace tine
