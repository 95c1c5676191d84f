#pragma once

#include <exception>
#include <utility>

#include "tine/callback.hpp"

namespace tine::uv {

// What a listener has thrown, and where it goes: Loop::run() throws it, or a handler gets it.
class CaughtException {
 public:
  void set_handler(Callback<void(std::exception_ptr)> handler) { handler_ = std::move(handler); }

  // Keeps the exception in flight for rethrow(). From now on halted() returns true.
  void keep() noexcept {
    exception_ = std::current_exception();
    halted_ = true;
  }
  // Throws what was kept, if anything. The loop stays halted until go_on().
  void rethrow() {
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
  }

  bool halted() const { return halted_; }
  void go_on() noexcept { halted_ = false; }

  // Calls the handler with the exception in flight.
  void handle() {
    if (!handler_) std::terminate();
    handler_(std::current_exception());
  }

 private:
  Callback<void(std::exception_ptr)> handler_;
  std::exception_ptr exception_;
  bool halted_ = false;
};

}  // namespace tine::uv
