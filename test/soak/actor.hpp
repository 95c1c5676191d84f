// The part of the soak that parent and child have in common: it acts at random and checks what it
// receives.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <system_error>
#include <utility>

#include <tine/tine.hpp>

#include "soak/ledger.hpp"
#include "soak/plan.hpp"

// The parameters of an Actor, which differ between parent and child.
struct Part {
  std::uint32_t decisions;  // the seed of the decisions
  Messages sent;
  Messages expected;
  int steps = -1;  // actions before `end` is called; negative means no limit
  // Stop the other process and let it go on. Empty on the side that cannot do this.
  std::function<void()> stop = {};
  std::function<void()> go_on = {};
  std::function<void()> end = {};
  int lost = -1;  // number of a message to leave out; the other side must notice that
};

// One side of an exchange; it acts at random while it is connected. Side is tine::ChildProcess or
// tine::Process.
template <class Side>
class Actor {
 public:
  Actor(tine::Loop& loop, Side& side, Account& mine, Part part)
      : loop_(loop), side_(side), mine_(mine), part_(std::move(part)), random_(part_.decisions) {
    side_.template on<"error">([this](const tine::Error& error) { mine_.complain(error.what()); });
    side_.template on<"drain">([this] {
      if (std::exchange(held_, false)) act();
    });
    listen();
    next_after(0);
  }
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;
  ~Actor() { rest(); }

  void listen() {
    messages_ =
        side_.template on<"message">([this](const nlohmann::json& message) { take(message); });
  }
  void stop_listening() { side_.off(messages_); }

  // Cancels all further actions and resumes reading.
  void rest() {
    next_.cancel();
    resume_.cancel();
    side_.channel().resume();
  }

 private:
  void next_after(std::uint32_t milliseconds) {
    next_ = loop_.after(std::chrono::milliseconds(milliseconds), [this] { act(); });
  }

  void act() {
    if (!side_.connected()) return;
    if (to_send_ > 0) return send_more();
    if (part_.steps == 0) return part_.end();
    if (part_.steps > 0) --part_.steps;
    ++mine_.actions;
    step();
  }

  void step() {
    switch (random_.below(12)) {
      case 0: return pause();
      case 1: return next_after(1 + random_.below(10));
      case 2: return stop();
      case 3: side_.channel().flush(); return next_after(0);
      default: begin_to_send();
    }
  }

  // The next actions may happen while reading is paused. The end may come then, too.
  void pause() {
    side_.channel().pause();
    resume_.cancel();
    resume_ = loop_.after(std::chrono::milliseconds(1 + random_.below(30)),
                          [this] { side_.channel().resume(); });
    next_after(random_.below(30));
  }

  void stop() {
    constexpr std::chrono::milliseconds stopped{100};
    if (!part_.stop) return next_after(0);
    part_.stop();
    next_ = loop_.after(stopped, [this] {
      part_.go_on();
      act();
    });
  }

  // Sometimes goes on sending after send() has returned false.
  void begin_to_send() {
    heedless_ = random_.below(4) == 0;
    to_send_ = 1 + random_.below(heedless_ ? 20 : 200);
    send_more();
  }

  void send_more() {
    while (to_send_ > 0 && side_.connected()) {
      --to_send_;
      held_ = !send() && !heedless_;
      if (held_) return;  // the "drain" listener continues
    }
    next_after(0);
  }

  bool send() {
    const nlohmann::json message = part_.sent.next();
    const std::uint64_t number = mine_.accepted++;
    const auto callback = [this, number](std::error_code error) { report(number, error); };
    if (static_cast<int>(number) == part_.lost) {
      loop_.post([callback] { callback({}); });
      return true;
    }
    if (random_.below(2) == 0) return side_.send(message, callback);
    return side_.send(tine::Text{message.dump()}, callback);
  }

  void report(std::uint64_t number, std::error_code error) {
    if (mine_.called++ != number && part_.lost < 0) {
      mine_.complain("a callback has run twice, or out of order");
    }
    if (!error && failed_) mine_.complain("a message was written after one that was not");
    if (!error) ++mine_.written;
    failed_ = static_cast<bool>(error);
  }

  void take(const nlohmann::json& message) {
    if (lost_track_) return;
    if (message != part_.expected.next()) {
      lost_track_ = true;
      return mine_.complain("got what is not the next message");
    }
    ++mine_.received;
    mine_.bytes = part_.expected.bytes();
  }

  tine::Loop& loop_;
  Side& side_;
  Account& mine_;
  Part part_;
  Random random_;
  tine::Subscription messages_;
  tine::Timer next_;
  tine::Timer resume_;
  std::uint32_t to_send_ = 0;
  bool heedless_ = false;
  bool held_ = false;
  bool failed_ = false;
  bool lost_track_ = false;
};
