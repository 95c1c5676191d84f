#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "tine/callback.hpp"
#include "uv/loop_core.hpp"
#include "uv/task.hpp"

namespace tine::uv {

// Runs a function on the loop when a stop is requested, which any thread may do: the stop callback does
// nothing but post.
class StopWatch {
 public:
  // `owner` is the object that this is part of. The function runs while the owner is alive, also after
  // stop() if it was due by then.
  StopWatch(LoopCore& core, std::weak_ptr<const void> owner, Callback<void()> stopped)
      : core_(core), owner_(std::move(owner)), task_(std::move(stopped)) {}
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;

  void start(std::stop_token token) { callback_.emplace(std::move(token), Post{this}); }
  // Waits for a stop callback that is running in another thread.
  void stop() noexcept { callback_.reset(); }

 private:
  struct Post {
    StopWatch* watch;
    void operator()() const noexcept;
  };

  LoopCore& core_;
  std::weak_ptr<const void> owner_;
  Task task_;
  std::optional<std::stop_callback<Post>> callback_;  // destroyed before what it uses
};

}  // namespace tine::uv
