// Random events in virtual time: the plan against a simple model of what it promises.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "supervision/plan.hpp"
#include "support/catch.hpp"
#include "support/scale.hpp"

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using tine::Backoff;
using tine::Restart;
using tine::Strategy;
using tine::SupervisorOptions;
using tine::supervision::Clock;
using tine::supervision::Plan;
using Kind = Plan::Action::Kind;

namespace {

const Backoff backoff{.first = 100ms, .factor = 2, .most = 3s, .jitter = 0.5, .forget = 20s};

// A violation of a promise. The test reports it with the number of its sequence.
struct Broken {
  std::string what;
};
void demand(bool holds, const char* what) {
  if (!holds) throw Broken{what};
}

struct ModelChild {
  Restart restart;
  bool alive = false;
  bool ready = false;
  bool asked = false;      // to end
  bool faulty = false;     // it was not ready in time, or hangs
  bool must_stop = false;  // for another one, by hand, or at the end
  bool over = false;
  Clock::time_point ready_at = {};
  Clock::time_point earliest = {};  // of its next start
  int in_a_row = 0;
  std::vector<Clock::time_point> failures = {};
  bool expects_again = false;  // an answer of the plan to its failure
  bool expects_failed = false;
  bool by_hand = false;
};

class Model {
 public:
  explicit Model(unsigned seed) : random_(seed), plan_(choose_options()) {
    const int children = number(1, 5);
    for (int i = 0; i < children; ++i) add();
    plan_.start(now_);
    carry_out();
  }

  void run() {
    for (int events = number(10, 80); events > 0; --events) step();
    if (number(0, 1) == 1) settle();
    if (!closed_) stop(number(0, 1) == 1);
    for (int i = 0; i < 100 && !closed_; ++i) {
      for (std::size_t child = 0; child < children_.size(); ++child) {
        if (children_[child].asked) end(child, true);
      }
    }
    demand(closed_, "the end does not come after stop()");
  }

 private:
  int number(int least, int most) { return std::uniform_int_distribution<>(least, most)(random_); }
  std::size_t any_child() { return static_cast<std::size_t>(number(0, size() - 1)); }
  int size() const { return static_cast<int>(children_.size()); }
  bool independent() const { return options_.strategy == Strategy::one_for_one; }

  SupervisorOptions choose_options() {
    options_.strategy = static_cast<Strategy>(number(0, 2));
    options_.give_up = static_cast<SupervisorOptions::GiveUp>(number(0, 2));
    options_.restarts = static_cast<unsigned>(number(0, 4));
    options_.period = milliseconds(number(1, 20'000));
    options_.starting = static_cast<std::size_t>(number(1, 3));
    return options_;
  }

  // --- events

  void step() {
    if (closed_) return;
    const std::size_t child = any_child();
    ModelChild& it = children_[child];
    switch (number(0, 19)) {
      case 0:
      case 1:
      case 2:
      case 3: return pass(milliseconds(number(0, 3000)));
      case 4: return pass(plan_next());
      case 5: return number(0, 3) == 0 ? add() : restart(child);
      case 6:
        if (number(0, 9) == 0) stop(number(0, 1) == 1);
        return;
      case 7: return not_ready(child);
      case 8: return hung(child);
      case 9:
      case 10:
      case 11:
        if (it.alive) end(child, number(0, 2) == 0);
        return;
      default: it.asked ? end(child, number(0, 1) == 0) : make_ready(child);
    }
  }

  milliseconds plan_next() const {
    const auto next = plan_.next_pass(now_);
    return next == tine::uv::no_deadline ? 0ms
                                         : std::chrono::duration_cast<milliseconds>(next - now_);
  }

  void pass(milliseconds time) {
    now_ += time;
    plan_.pass(now_);
    carry_out();
  }

  void add() {
    children_.push_back({.restart = static_cast<Restart>(number(0, 2))});
    plan_.add(children_.back().restart, backoff, now_);
    carry_out();
  }

  void make_ready(std::size_t child) {
    ModelChild& it = children_[child];
    if (!it.alive || it.ready || it.asked) return;
    it.ready = true;
    it.ready_at = now_;
    plan_.ready(child, now_);
    carry_out();
  }

  void not_ready(std::size_t child) {
    ModelChild& it = children_[child];
    if (!it.alive || it.ready || it.asked) return;
    it.faulty = !it.must_stop;
    plan_.not_ready(child);
    carry_out();
    demand(it.asked || it.must_stop, "a child that is not ready is not stopped");
  }

  void hung(std::size_t child) {
    ModelChild& it = children_[child];
    if (!it.alive || !it.ready || it.asked) return;
    it.faulty = true;
    plan_.hung(child);
    carry_out();
    demand(it.asked, "a child that hangs is not ended");
  }

  void restart(std::size_t child) {
    if (!stopping_) {
      ModelChild& it = children_[child];
      it.failures.clear();
      it.in_a_row = 0;
      it.earliest = now_;
      it.over = false;
      if (it.alive) it.must_stop = it.by_hand = true;
      depend_on(child);
    }
    plan_.restart(child, now_);
    carry_out();
  }

  void stop(bool kill) {
    stopping_ = true;
    for (ModelChild& it : children_) it.must_stop = it.alive;
    kill ? plan_.kill(now_) : plan_.stop(now_);
    carry_out();
  }

  void end(std::size_t child, bool success) {
    ModelChild& it = children_[child];
    const bool for_another = it.must_stop;
    const bool failure = it.restart == Restart::permanent ||
                         (it.restart == Restart::transient && (!success || it.faulty));
    if (it.ready && now_ - it.ready_at >= backoff.forget) it.in_a_row = 0;
    const bool again = it.by_hand || it.restart != Restart::temporary;
    it.alive = it.ready = it.asked = it.faulty = it.must_stop = it.by_hand = false;
    if (stopping_ || (for_another ? !again : !failure)) {
      it.over = true;
    } else if (!for_another) {
      failed(child);
    }
    plan_.ended(child, success, std::uniform_real_distribution<>()(random_), now_);
    carry_out();
    demand(!it.expects_again && !it.expects_failed, "nothing is told about a failure");
  }

  void failed(std::size_t child) {
    ModelChild& it = children_[child];
    it.failures.push_back(now_);
    const auto recent = std::count_if(it.failures.begin(), it.failures.end(),
                                      [&](auto at) { return now_ - at < options_.period; });
    const bool too_often = recent > static_cast<int>(options_.restarts);
    if (too_often && options_.give_up != SupervisorOptions::GiveUp::never) {
      it.expects_failed = it.over = true;
      if (options_.give_up != SupervisorOptions::GiveUp::all) return;
      stopping_ = true;
      for (ModelChild& other : children_) other.must_stop = other.alive;
    } else {
      it.expects_again = true;
      depend_on(child);
    }
  }

  void depend_on(std::size_t child) {
    for (std::size_t i = 0; i < children_.size(); ++i) {
      const bool depends = options_.strategy == Strategy::one_for_all ||
                           (options_.strategy == Strategy::rest_for_one && i > child);
      if (depends && i != child && children_[i].alive) children_[i].must_stop = true;
    }
  }

  // Gives everybody what they wait for: then all children that are not over must be ready.
  void settle() {
    for (int i = 0; i < 1000 && !closed_; ++i) {
      for (std::size_t child = 0; child < children_.size() && !closed_; ++child) {
        if (children_[child].asked) end(child, true);
        make_ready(child);
      }
      pass(plan_next());
    }
    for (const ModelChild& it : children_) {
      demand(it.over || it.ready || stopping_, "a child is not started");
    }
  }

  // --- actions

  void carry_out() {
    for (const Plan::Action& action : plan_.take_actions()) {
      demand(!closed_, "something is done after the end");
      check(action, children_[action.child]);
    }
  }

  void check(const Plan::Action& action, ModelChild& it) {
    switch (action.kind) {
      case Kind::start: return check_start(action.child, it);
      case Kind::stop: return check_stop(action.child, it);
      case Kind::abort:
        demand(it.alive && it.faulty && !it.asked, "one is aborted that does not hang");
        it.asked = true;
        return;
      case Kind::kill: return demand(it.alive && stopping_, "a child is killed");
      case Kind::tell_ready: return demand(it.ready, "a child is told to be ready");
      case Kind::tell_hung: return demand(it.faulty && !it.asked, "hung is not told first");
      case Kind::tell_restart: return check_restart(it, action.delay);
      case Kind::tell_failed:
        demand(std::exchange(it.expects_failed, false), "a child is given up too early");
        return;
      case Kind::close:
        closed_ = true;
        for (const ModelChild& each : children_) {
          demand(!each.alive && (stopping_ || each.over), "the end comes too early");
        }
    }
  }

  void check_start(std::size_t child, ModelChild& it) {
    demand(!it.alive, "two of one name are alive");
    demand(!it.over && !stopping_, "a child is started that is to stay ended");
    demand(now_ >= it.earliest, "a child is started too early");
    if (independent()) {
      const auto starting = std::count_if(children_.begin(), children_.end(), [](const auto& each) {
        return each.alive && !each.ready && !each.asked;
      });
      demand(starting < static_cast<int>(options_.starting), "too many start at a time");
    } else {
      for (std::size_t i = 0; i < children_.size(); ++i) {
        const ModelChild& other = children_[i];
        demand(!other.must_stop, "one is started while others are stopped");
        demand(i >= child || other.over || (other.ready && !other.asked), "starts out of order");
      }
    }
    it.alive = true;
  }

  void check_stop(std::size_t child, ModelChild& it) {
    demand(it.alive && !it.asked, "a child is stopped twice");
    demand(it.must_stop || it.faulty, "a child is stopped without a reason");
    const bool in_order = stopping_ || !independent();
    for (std::size_t i = child + 1; in_order && it.must_stop && i < children_.size(); ++i) {
      demand(!children_[i].alive || !children_[i].must_stop, "stops out of order");
    }
    it.asked = true;
  }

  void check_restart(ModelChild& it, milliseconds delay) {
    demand(std::exchange(it.expects_again, false), "a restart is told for no reason");
    const double whole = std::min(100 * std::pow(2, it.in_a_row++), 3000.0);
    demand(static_cast<double>(delay.count()) >= std::floor(whole / 2) &&
               static_cast<double>(delay.count()) <= whole,
           "the delay is wrong");
    it.earliest = now_ + delay;
  }

  std::mt19937 random_;
  SupervisorOptions options_;
  Plan plan_;
  Clock::time_point now_ = Clock::time_point(1h);
  std::vector<ModelChild> children_;
  bool stopping_ = false;
  bool closed_ = false;
};

}  // namespace

TEST_CASE("plan: whatever happens, it keeps its promises", "[supervision]") {
  const auto sequences = static_cast<unsigned>(scaled(20'000, 2'000'000));
  for (unsigned seed = 0; seed < sequences; ++seed) {
    try {
      Model(seed).run();
    } catch (const Broken& broken) {
      FAIL("sequence " << seed << ": " << broken.what);
    }
  }
}
