#pragma once

#include <utility>

#include "uv/loop_core.hpp"

namespace tine::uv {

// Whether a handle or a request keeps the loop alive only for bytes that wait to be written. The
// loop counts those that do.
class WriteHold {
 public:
  explicit WriteHold(LoopCore& core) : core_(core) {}
  WriteHold(const WriteHold&) = delete;
  WriteHold& operator=(const WriteHold&) = delete;
  ~WriteHold() { set(false); }

  void set(bool holds) noexcept {
    if (std::exchange(holds_, holds) == holds) return;
    holds ? core_.write_started() : core_.write_ended();
  }

 private:
  LoopCore& core_;
  bool holds_ = false;
};

}  // namespace tine::uv
