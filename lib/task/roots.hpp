#pragma once

#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>

#include "tine/task.hpp"
#include "uv/extensions.hpp"
#include "uv/keep_alive.hpp"
#include "uv/loop_core.hpp"

namespace tine::task {

// The tasks that a loop owns: those of start() and run(). They keep the loop running.
class Roots final : public uv::Extension {
 public:
  // What becomes of the task of a run().
  struct Outcome {
    bool ended = false;
    std::exception_ptr exception;
  };

  explicit Roots(uv::LoopCore& core);
  Roots(const Roots&) = delete;
  Roots& operator=(const Roots&) = delete;
  ~Roots() override;

  static Roots& of(uv::LoopCore& core);

  // Starts a task. With an outcome, its end stops the loop; else what it throws is thrown to the
  // loop. Returns the number for remove().
  std::size_t add(Task<void> task, std::stop_token stop, Outcome* outcome = nullptr);
  // Destroys a task, if it has not ended.
  void remove(std::size_t number) noexcept;

 private:
  class Root;

  void ended(std::size_t number);
  void update_keep_alive() noexcept {
    if (roots_.empty()) keep_alive_.reset();
  }

  uv::LoopCore& core_;
  std::optional<uv::KeepAlive> keep_alive_;             // while there are roots
  std::map<std::size_t, std::unique_ptr<Root>> roots_;  // in order of their start
  std::size_t started_ = 0;
};

}  // namespace tine::task
