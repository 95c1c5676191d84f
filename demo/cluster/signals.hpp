// Ctrl-C as a callback on a loop.
#pragma once

#include <array>
#include <csignal>
#include <functional>
#include <utility>

#include <uv.h>

#include <tine/tine.hpp>

// Listeners that call a function at the first SIGINT and at the first SIGTERM. A second one does
// what it does by default. The listeners do not keep the loop running. The loop must outlive this
// object.
//
// Node: process.once("SIGINT", function) and process.once("SIGTERM", function).
class Signals {
 public:
  Signals(tine::Loop& loop, std::function<void()> came) : came_(std::move(came)) {
    const std::array<int, 2> signals{SIGINT, SIGTERM};
    for (std::size_t i = 0; i < signals.size(); ++i) {
      handles_[i] = new uv_signal_t;
      uv_signal_init(loop.native(), handles_[i]);
      handles_[i]->data = this;
      uv_signal_start_oneshot(
          handles_[i],
          [](uv_signal_t* handle, int) { static_cast<Signals*>(handle->data)->came_(); },
          signals[i]);
      uv_unref(reinterpret_cast<uv_handle_t*>(handles_[i]));
    }
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() {
    for (uv_signal_t* handle : handles_) {
      uv_close(reinterpret_cast<uv_handle_t*>(handle),
               [](uv_handle_t* closed) { delete reinterpret_cast<uv_signal_t*>(closed); });
    }
  }

 private:
  std::function<void()> came_;
  std::array<uv_signal_t*, 2> handles_{};
};
