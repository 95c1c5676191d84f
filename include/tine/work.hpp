// A task for a Pool, and what comes of it.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tine/callback.hpp"
#include "tine/channel_end.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/handle.hpp"
#include "tine/request.hpp"

namespace tine::pool {
class Job;
}

namespace tine {

namespace detail {

// The part of a Work that does not depend on the type of its result.
class TINE_EXPORT UnsentWork {
 public:
  explicit UnsentWork(std::shared_ptr<pool::Job> job);
  UnsentWork(UnsentWork&&) noexcept = default;
  UnsentWork& operator=(UnsentWork&&) noexcept = default;
  ~UnsentWork() = default;

  void set_deadline(std::chrono::milliseconds deadline);
  // Does that unless the work has an earlier one.
  void limit(std::chrono::milliseconds deadline);
  void set_run_deadline(std::chrono::milliseconds deadline);
  void set_stop(std::stop_token token);
  void set_priority(int level);
  void set_key(std::string_view key);
  void set_retries(unsigned times);
  void set_handle(Handle handle, SendOptions options);
  void set_progress(Callback<void(const nlohmann::json&)> listener);
  Call send(Callback<void(rpc::Outcome&)> done);

 private:
  std::shared_ptr<pool::Job> job_;
};

}  // namespace detail

// A task to be given to a Pool, by then() or, in a tine::Task, by co_await. Without them it is never
// given to it.
//
//   pool.run("thumbnail", tine::object("file", name)).run_within(10s).retries(1).then(
//       [](tine::Result<std::string> made) { ... });
//
//   const auto made = co_await pool.run<std::string>("thumbnail", tine::object("file", name)).key(name);
//
// Each modifier replaces what it was given before.
template <class T = nlohmann::json>
class [[nodiscard]] Work {
 public:
  explicit Work(detail::UnsentWork unsent) : unsent_(std::move(unsent)) {}
  Work(Work&&) noexcept = default;
  Work& operator=(Work&&) noexcept = default;
  ~Work() = default;

  // How long it may take from then() on, the time in the queue included; and how long from the moment in
  // which a worker gets it, each time if it is retried. Then it fails with Errc::timed_out.
  Work&& within(std::chrono::milliseconds deadline) && {
    unsent_.set_deadline(deadline);
    return std::move(*this);
  }
  Work&& run_within(std::chrono::milliseconds deadline) && {
    unsent_.set_run_deadline(deadline);
    return std::move(*this);
  }

  // Gives it up as Call::cancel() does when a stop is requested, which any thread may do.
  Work&& stop(std::stop_token token) && {
    unsent_.set_stop(std::move(token));
    return std::move(*this);
  }

  // The higher levels are done first. What waits rises by one level a second, so that all is done some
  // day. 0 by default.
  Work&& priority(int level) && {
    unsent_.set_priority(level);
    return std::move(*this);
  }

  // All work of a key is done by the same worker while that lives, and waits for it: a worker may keep what
  // it knows of the key. At most 10 000 keys are remembered.
  Work&& key(std::string_view key) && {
    unsent_.set_key(key);
    return std::move(*this);
  }

  // How often it is given to another worker if its worker dies. It may be done twice then.
  Work&& retries(unsigned times) && {
    unsent_.set_retries(times);
    return std::move(*this);
  }

  // Sends a handle beside it: see ChannelEnd::send(). Work with a handle is not retried.
  Work&& with(Handle handle, SendOptions options = {}) && {
    unsent_.set_handle(std::move(handle), options);
    return std::move(*this);
  }

  // Sets the listener of the values that its handler reports while it works: see Request.
  template <class F>
  Work&& on_progress(F&& listener) && {
    unsent_.set_progress(Callback<void(const nlohmann::json&)>(std::forward<F>(listener)));
    return std::move(*this);
  }

  // Gives it to the pool. `done` is called once, on a later turn of the loop, with what Request::then()
  // takes.
  template <class Done>
  Call then(Done&& done) && {
    using Function = std::decay_t<Done>;
    if constexpr (!detail::takes_result<Function, T>()) {
      static_assert(detail::takes_result<Function, T>(),
                    "tine: the callback of work takes a tine::Result, or nothing");
      return Call();
    } else {
      return unsent_.send(detail::ResultCallback<Function, T>{Function(std::forward<Done>(done))});
    }
  }

  // Gives it to the pool, and returns the value of its Result, or throws the error. A stop, a deadline and
  // the end of the task act as for a Request.
  using Awaiter = detail::ResultAwaiter<T, detail::UnsentWork>;
  Awaiter operator co_await() && { return Awaiter(std::move(unsent_)); }

 private:
  detail::UnsentWork unsent_;
};

}  // namespace tine
