// What parent and child do alike: send numbered messages, and look at those that come.
#pragma once

#include <exception>
#include <functional>
#include <new>
#include <vector>

#include <tine/tine.hpp>

#include "faults/ledger.hpp"

// How a process ends that had no memory for what could not be told by an exception. Its other end
// must stay whole; see scenario.cpp.
inline constexpr int ended_by_terminate = 3;

// How a process ends that could not make its loop or its channel, and was told so.
inline constexpr int gave_up = 4;

// Whether std::terminate was called for want of memory. Where the compiler calls it itself, out of
// libraries that allocate in what is noexcept, there is no exception to be seen.
inline bool terminated_for_memory() {
  const std::exception_ptr exception = std::current_exception();
  if (!exception) return true;
  try {
    std::rethrow_exception(exception);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (...) {
    return false;
  }
}

// All messages of a plan. They are made before anything fails: nlohmann's own constructors lose
// memory when an allocation fails, and its destructor ends the program.
inline std::vector<nlohmann::json> make_messages(const Plan& plan) {
  std::vector<nlohmann::json> messages;
  for (int number = 0; number < plan.with_farewell(); ++number) {
    messages.push_back({{"number", number}, {"text", plan.text_of(number)}});
  }
  return messages;
}

// Side is tine::ChildProcess or tine::Process.
//
// Where it stands is a few counters that change after what can fail: it can go on from there after
// any exception.
template <class Side>
class Exchange {
 public:
  Exchange(Side& side, Account& mine, const Plan& plan, const std::vector<nlohmann::json>& messages,
           std::function<void()> progress)
      : side_(side), mine_(mine), plan_(plan), messages_(messages), progress_(std::move(progress)) {
    side_.template on<"error">([](const tine::Error&) {});  // callbacks tell, and "disconnect"
    side_.template on<"drain">([this] { go_on(); });
    listen();
  }

  // "close" drops the listeners. If it came in a pause, messages wait for a new one.
  void listen() {
    if (side_.template listener_count<"message">() > 0) return;
    side_.template on<"message">([this](const nlohmann::json& message) {
      take(message);
      progress_();
    });
  }

  // Sends until there is to be a pause. `progress` is called then, and after each message.
  void go_on() {
    while (next_ < plan_.count && side_.connected() && send()) {
    }
    progress_();
  }

  // Sends without pauses.
  void send_up_to(int count) {
    while (next_ < count && side_.connected()) send();
  }

  bool complete() const { return next_ >= plan_.count && mine_.received == plan_.count; }

 private:
  // What throws has not taken the message.
  bool send() {
    const auto number = static_cast<std::size_t>(next_);
    mine_.sent[number] = Sent::accepted;
    try {
      const bool more = side_.send(messages_[number], [this, number](std::error_code error) {
        mine_.report(number, !error);
      });
      ++next_;
      return more;
    } catch (const std::bad_alloc&) {
      mine_.sent[number] = Sent::not_yet;
      throw;
    }
  }

  void take(const nlohmann::json& message) {
    const auto expected = static_cast<std::size_t>(mine_.received);
    if (expected >= messages_.size() || message != messages_[expected]) {
      return mine_.complain("got a message that is not the next one, or not what was sent");
    }
    ++mine_.received;
  }

  Side& side_;
  Account& mine_;
  const Plan& plan_;
  const std::vector<nlohmann::json>& messages_;
  std::function<void()> progress_;
  int next_ = 0;
};

// Runs until nothing is left. A failed allocation that comes out of run() is no reason to stop: what
// was due still is.
template <class Side>
void run_to_end(tine::Loop& loop, Exchange<Side>& exchange) {
  for (;;) {
    try {
      exchange.go_on();
      return loop.run();
    } catch (const std::bad_alloc&) {
    }
  }
}
