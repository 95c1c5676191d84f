// A pool: tasks are done in child processes, as many as there is work for.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "tine/backoff.hpp"
#include "tine/callback.hpp"
#include "tine/child_process.hpp"
#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"
#include "tine/detail/rpc_handler.hpp"
#include "tine/emitter.hpp"
#include "tine/error.hpp"
#include "tine/fork_options.hpp"
#include "tine/object.hpp"
#include "tine/ready.hpp"
#include "tine/rpc.hpp"
#include "tine/stop.hpp"
#include "tine/work.hpp"

namespace tine::pool {
class State;
}

namespace tine {

class Loop;

// When a worker is replaced by another one, which is ready before the worker goes. 0: never.
struct Recycle {
  // After this many tasks.
  std::size_t tasks = 0;
  // When it has more memory than this between two tasks: resident bytes, as the system says. Linux only.
  std::size_t memory = 0;
  // When it is older than this.
  std::chrono::milliseconds age = {};
  // Each limit is less by a random part, of at most this size, so that not all workers go at once.
  double jitter = 0.1;
};

struct PoolOptions {
  // How workers are started. If neither `stdio` nor `silent` is set, their stderr is a pipe: what they
  // write there goes on to this program's stderr, and its last lines are in the errors of their tasks.
  ForkOptions fork = {};

  // How many workers are kept, and how many there may be. max = 0: as many as there are CPUs.
  std::size_t min = 0;
  std::size_t max = 0;
  // How many tasks a worker does at a time.
  std::size_t concurrency = 1;
  // How long a worker may have nothing to do before it is stopped.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(30);

  // How many tasks may wait for a worker, and which one fails with Errc::queue_full when there are more:
  // the new one, or the one that has waited longest.
  std::size_t queue_limit = 10'000;
  enum class Full { refuse, drop_oldest } when_full = Full::refuse;

  // When a worker that was started can be counted on, and how long it has for that.
  Ready ready = Ready::spawned();
  std::chrono::milliseconds ready_deadline = std::chrono::seconds(30);
  // How long to wait after a worker could not be started, and how often in a row that may happen. Then
  // what waits fails with Errc::worker_start_failed.
  Backoff backoff = {};
  unsigned start_attempts = 5;

  Recycle recycle = {};

  // How long a worker has to answer for a task that was cancelled, or is late. Then it is killed.
  std::chrono::milliseconds cancel_grace = std::chrono::seconds(1);
  // How a worker is stopped that is not needed any more.
  StopOptions stop = {};
};

// A pool at this moment, and what it has done since it was made.
struct PoolStats {
  std::size_t queued = 0;   // tasks that wait for a worker
  std::size_t running = 0;  // tasks that a worker has
  std::size_t workers = 0;  // all that live: starting, ready, and stopping
  std::size_t idle = 0;     // those that are ready and have no task
  std::size_t starting = 0;

  std::uint64_t completed = 0;  // tasks with a result
  std::uint64_t failed = 0;     // tasks whose handler has failed, or that failed for another reason
  std::uint64_t cancelled = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t retried = 0;
  std::uint64_t crashed = 0;   // workers that ended without being told to
  std::uint64_t recycled = 0;  // workers that were replaced, by Recycle or reload()

  // Of the tasks that a worker has answered: how long they waited, and how long the worker took. To two
  // digits.
  std::chrono::microseconds wait_p50{0};
  std::chrono::microseconds wait_p99{0};
  std::chrono::microseconds run_p50{0};
  std::chrono::microseconds run_p99{0};
};

// Child processes that do tasks. A worker is any child that answers requests: see Rpc.
//
//   tine::Pool pool(loop, "./resize", {.max = 4});
//   pool.run("thumbnail", {{"file", "a.png"}}).then([](tine::Result<std::string> made) { ... });
//   pool.close();
//   loop.run();
//
//   "start"  a worker is ready
//   "exit"   a worker has ended, and how
//   "error"  a worker could not be started, or has ended by itself without a task; or what it sent is not
//            a message. If workers cannot be started and no task is there to fail, Loop::run() throws
//            this error if there is no listener; otherwise errors without a listener are dropped
//   "drain"  the queue was full, and is half empty
//   "close"  after close() and destroy(): all tasks are done, and no worker is left
//
// Each task is settled once: with its result or with an RpcError. Beside those of a request, codes are
//
//   Errc::worker_died          its worker has ended. what() tells its pid, how it ended, and the last lines
//                              that it wrote to stderr if that is a pipe; exit_status() tells how it ended
//   Errc::worker_start_failed  no worker could be started; what() tells why
//   Errc::queue_full           see PoolOptions::queue_limit
//   Errc::pool_closed          it came after close(), or destroy() was called
//
// A task is in one worker at a time: it is retried when the worker before has ended, not when it is silent.
// A task that is cancelled or late is settled at once. Its worker is told, gets no other task in its place
// until it answers, and is killed with all that it has started when PoolOptions::cancel_grace is over.
//
// Work that is made in a handler of on_request() while a worker waits for it, or in what such a handler
// awaits or calls back, is nested. For each level of nesting there may be one worker more than max, so that
// no work waits for itself. At most 16 levels.
//
// A handle: see Emitter. The pool goes on until close(). It keeps Loop::run() from returning while it has
// tasks, and until "close" after close(), but not when it is idle. ~Loop leaves the workers to the end of
// their channels: see ForkOptions::kill_with_loop.
//
// Node: none; the npm packages workerpool, tinypool and jest-worker. There, tasks that wait behind a crash
// may never be settled.
class TINE_EXPORT Pool
    : public Emitter<Event<"start", ChildProcess>, Event<"exit", ChildProcess, ExitStatus>,
                     Event<"error", Error>, Event<"drain">, Event<"close">> {
 public:
  // Makes an empty handle.
  Pool() = default;

  // Workers are started when there is work, and `min` of them on the next turn. Throws Error with
  // Errc::out_of_range or invalid_argument for options that make no sense.
  Pool(Loop& loop, const std::filesystem::path& module, PoolOptions options = {});

  // False for an empty handle.
  explicit operator bool() const { return state_ != nullptr; }

  // Makes a task: the request that a worker gets. Work::then() gives it to the pool.
  template <class T = nlohmann::json>
  Work<T> run(std::string_view method) const {
    return Work<T>(make(method, {}));
  }
  template <class T = nlohmann::json>
  Work<T> run(std::string_view method, const nlohmann::json& params) const {
    return Work<T>(make(method, detail::Value(params)));
  }
  template <class T = nlohmann::json>
  Work<T> run(std::string_view method, nlohmann::json&& params) const {
    return Work<T>(make(method, detail::Value(std::move(params))));
  }
  template <class T = nlohmann::json, detail::Built Params>
  Work<T> run(std::string_view method, Params params) const {
    return Work<T>(make(method, detail::Value(std::move(params))));
  }

  // Sets the handler of requests that workers make, for all workers: see Rpc::on_request().
  template <class F>
  void on_request(std::string method, F handler) const {
    if constexpr (!detail::fits_request<F>()) {
      static_assert(detail::fits_request<F>(),
                    "tine: this handler of requests takes what the params do not convert to");
    } else {
      set_handler(std::move(method),
                  detail::RequestHandler<F>{std::make_shared<F>(std::move(handler))});
    }
  }

  // Takes no more tasks, does those that it has, and stops its workers.
  void close() const;
  // Fails all tasks with Errc::pool_closed, and kills its workers with all that they have started.
  void destroy() const;

  // Replaces all workers that live now, one after the other: each goes when its successor is ready and it
  // has no task. `done` is called when all are replaced, or with Errc::worker_start_failed when a successor
  // could not be started: then the others stay. Without a listener of its own, it tells nothing.
  void reload(Callback<void(std::error_code)> done = {}) const;

  PoolStats stats() const;
  // Returns the same as Prometheus text, with histograms. `prefix` begins each name.
  std::string metrics(std::string_view prefix = "tine_pool") const;

 private:
  explicit Pool(std::shared_ptr<pool::State> state);
  detail::UnsentWork make(std::string_view method, detail::Value params) const;
  void set_handler(std::string method, rpc::Handler handler) const;

  std::shared_ptr<pool::State> state_;
};

}  // namespace tine
