#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "supervision/failures.hpp"
#include "tine/backoff.hpp"
#include "tine/supervisor.hpp"
#include "uv/deadline.hpp"

namespace tine::supervision {

using uv::Clock;

// What a Supervisor does: it is told what happens to the children, and when, and says what is to be
// done. It knows neither processes nor timers. An event may throw std::bad_alloc, after which the plan is
// of no use: the caller works with a copy.
//
//   waiting ─> starting ─> ready ─> stopping
//      ^          │          │         │
//      └──────────┴──────────┴─────────┴──> over: ended for good, or given up
//
// Children are numbered in the order in which they were added. At most one process of each is alive:
// it is started when it waits, and waits only when the process before has ended.
class Plan {
 public:
  struct Action {
    enum class Kind {
      start,
      stop,   // take the steps of stopping it
      abort,  // it hangs
      kill,   // at once, with its descendants
      tell_ready,
      tell_restart,
      tell_hung,
      tell_failed,
      close,  // all are over: the last action
    };

    Kind kind;
    std::size_t child = 0;
    std::chrono::milliseconds delay{0};  // tell_restart
    std::size_t failures = 0;            // tell_failed: how many there were within the period

    friend bool operator==(const Action&, const Action&) = default;
  };

  explicit Plan(const SupervisorOptions& options) : options_(options) {}

  // Each of these is an event, which may add actions.
  void add(Restart restart, const Backoff& backoff, Clock::time_point now);
  void start(Clock::time_point now);
  void ready(std::size_t child, Clock::time_point now);
  // It cannot become ready any more, or is not ready in time.
  void not_ready(std::size_t child);
  void hung(std::size_t child);
  // `random` is for the backoff: at least 0 and less than 1.
  void ended(std::size_t child, bool success, double random, Clock::time_point now);
  // Starts it anew, by hand: a child that is over, too.
  void restart(std::size_t child, Clock::time_point now);
  void stop(Clock::time_point now);
  void kill(Clock::time_point now);
  // Time has passed.
  void pass(Clock::time_point now) { go_on(now); }

  // Returns the actions that are to be done now, in this order.
  std::vector<Action> take_actions() { return std::exchange(actions_, {}); }

  // Returns when pass() must be called; uv::no_deadline if it need not.
  Clock::time_point next_pass(Clock::time_point now) const;

 private:
  enum class State { waiting, starting, ready, stopping, over };
  enum class Phase { new_, running, stopping, closed };

  struct Child {
    Restart restart;
    Failures failures;
    State state = State::waiting;
    Clock::time_point not_before = {};               // while it waits
    std::optional<Clock::time_point> ready_at = {};  // nullopt: its process was not ready yet
    bool to_be_stopped = false;  // it is alive, and is asked to end when it is its turn
    bool by_hand = false;        // it is to be started again, whatever `restart` says
    std::deque<Clock::time_point> failed_at = {};  // within the period, if there are not too many

    bool alive() const { return state != State::waiting && state != State::over; }
  };

  bool independent() const { return options_.strategy == Strategy::one_for_one; }
  void add_action(Action::Kind kind, std::size_t child = 0, std::chrono::milliseconds delay = {}) {
    actions_.push_back({.kind = kind, .child = child, .delay = delay});
  }
  void failed(std::size_t child, double random, Clock::time_point now);
  bool too_often(Child& child, Clock::time_point now) const;
  void give_up(std::size_t child);
  void stop_dependents_of(std::size_t child);
  void stop_all();
  void begin_to_stop(std::size_t child);
  void go_on(Clock::time_point now);
  void go_on_stopping();
  void go_on_starting(Clock::time_point now);
  void start_next(Clock::time_point now);
  void start_some(Clock::time_point now);
  void start_child(std::size_t child);
  void look_for_end();
  bool any(bool (*matches)(const Child&)) const;

  SupervisorOptions options_;
  Phase phase_ = Phase::new_;
  std::vector<Child> children_;
  std::vector<Action> actions_;
};

}  // namespace tine::supervision
