// The half that parent and child have in common: both send numbered messages and check those that
// arrive.
#pragma once

#include <exception>
#include <functional>
#include <new>
#include <vector>

#include <tine/tine.hpp>

#include "faults/ledger.hpp"

// Exit code of a process that ran out of memory where it could not throw an exception. The other
// process must stay unharmed; see scenario.cpp.
inline constexpr int ended_by_terminate = 3;

// Exit code of a process that could not make its loop or its channel, and caught the exception.
inline constexpr int gave_up = 4;

// Returns whether std::terminate() was called because memory ran out. If the compiler's code calls
// it, in a noexcept function of a library that allocates, there is no current exception.
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

// Makes all messages of a plan, before anything fails: if an allocation fails, nlohmann's
// constructors leak memory and its destructor ends the program.
inline std::vector<nlohmann::json> make_messages(const Plan& plan) {
  std::vector<nlohmann::json> messages;
  for (int number = 0; number < plan.with_farewell(); ++number) {
    messages.push_back({{"number", number}, {"text", plan.text_of(number)}});
  }
  return messages;
}

// One side of an exchange. Side is tine::ChildProcess or tine::Process.
// The progress is in a few counters. They change only after the steps that can fail, so the
// exchange can go on after any exception.
template <class Side>
class Exchange {
 public:
  Exchange(Side& side, Account& mine, const Plan& plan, const std::vector<nlohmann::json>& messages,
           std::function<void()> progress)
      : side_(side), mine_(mine), plan_(plan), messages_(messages), progress_(std::move(progress)) {
    side_.template on<"error">([](const tine::Error&) {});  // callbacks and "disconnect" are enough
    side_.template on<"drain">([this] { go_on(); });
    listen();
  }

  // Adds a "message" listener if there is none. "close" drops listeners; if it came during a pause,
  // messages wait for a new listener.
  void listen() {
    if (side_.template listener_count<"message">() > 0) return;
    side_.template on<"message">([this](const nlohmann::json& message) {
      take(message);
      progress_();
    });
  }

  // Sends until send() asks for a pause, then calls `progress`. Each message that arrives also
  // calls `progress`.
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
  // If send() throws, it has not taken the message.
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

// Runs until nothing is left. If run() throws because an allocation failed, it is called again, and
// then does what was due.
template <class AnyExchange>
void run_to_end(tine::Loop& loop, AnyExchange& exchange) {
  for (;;) {
    try {
      exchange.go_on();
      return loop.run();
    } catch (const std::bad_alloc&) {
    }
  }
}
