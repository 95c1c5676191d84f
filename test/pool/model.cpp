// The scheduler against a model of the world: random events, and each action is checked.
#include <algorithm>
#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "pool/world.hpp"
#include "support/catch.hpp"
#include "support/scale.hpp"

using namespace pool_world;

namespace {

Choose random_choices(unsigned seed) {
  return [engine = std::minstd_rand(seed)](unsigned n) mutable {
    return static_cast<unsigned>(engine() >> 4) % n;
  };
}

// Returns what is broken, or nothing.
std::string run_world(unsigned seed, int steps) try {
  Choose choose = random_choices(seed + 1);
  Limits limits = any_limits(choose);
  World world(std::move(limits), std::move(choose));
  for (int i = 0; i < steps; ++i) world.step();
  world.finish();
  return {};
} catch (const Broken& broken) {
  return broken.what();
}

// Tasks that each make a task of the next level, and end when that is settled.
class Nest {
 public:
  Nest(const Limits& limits, unsigned depth, unsigned seed)
      : depth_(depth), choose_(random_choices(seed)), scheduler_(limits) {
    scheduler_.pass(now_);
  }

  void submit_root(unsigned level = 0) {
    parents_[scheduler_.submit(now_, {.level = level})] = {0, level};
  }

  // Returns whether all have ended.
  bool run() {
    for (int idle_rounds = 0; idle_rounds < 100 && !parents_.empty();) {
      take_all();
      const bool moved = one_event();
      idle_rounds = moved ? 0 : idle_rounds + 1;
      now_ += 1ms;
      scheduler_.pass(now_);
    }
    return parents_.empty();
  }

  std::size_t most_workers() const { return most_workers_; }

 private:
  struct Made {
    TaskId parent;
    unsigned level;
  };

  void take_all() {
    Action action;
    while (scheduler_.take(action)) {
      if (action.kind == Kind::start_worker) starting_.push_back(action.worker);
      if (action.kind == Kind::stop_worker) stopping_.push_back(action.worker);
      if (action.kind == Kind::run) begin(action.task, action.worker);
    }
    most_workers_ = std::max(most_workers_, scheduler_.workers());
  }

  void begin(TaskId task, WorkerId worker) {
    running_[task] = worker;
    const unsigned level = parents_.at(task).level;
    if (level == depth_) return ready_to_end_.push_back(task);
    const TaskId child = scheduler_.submit(now_, {.level = level + 1});
    parents_[child] = {task, level + 1};
  }

  bool one_event() {
    if (!stopping_.empty()) {
      scheduler_.worker_exited(stopping_.back(), now_);
      stopping_.pop_back();
    } else if (!starting_.empty() && choose_(2) == 0) {
      scheduler_.worker_ready(starting_.back(), now_);
      starting_.pop_back();
    } else if (!ready_to_end_.empty()) {
      end_one();
    } else {
      return !starting_.empty();
    }
    return true;
  }

  void end_one() {
    const auto at = ready_to_end_.begin() + choose_(static_cast<unsigned>(ready_to_end_.size()));
    const TaskId task = *at;
    ready_to_end_.erase(at);
    scheduler_.task_ended(running_.at(task), task, now_);
    const TaskId parent = parents_.at(task).parent;
    parents_.erase(task);
    running_.erase(task);
    if (parent != 0) ready_to_end_.push_back(parent);
  }

  unsigned depth_;
  Choose choose_;
  Clock::time_point now_ = Clock::time_point(1h);
  Scheduler scheduler_;
  std::map<TaskId, Made> parents_;  // of those that have not ended
  std::map<TaskId, WorkerId> running_;
  std::vector<TaskId> ready_to_end_;
  std::vector<WorkerId> starting_;
  std::vector<WorkerId> stopping_;
  std::size_t most_workers_ = 0;
};

}  // namespace

TEST_CASE("scheduler: whatever happens, each task is settled once, and the limits hold", "[pool]") {
  const int steps = 1000;
  const int worlds = scaled(2000, 10'000);
  for (int seed = 0; seed < worlds; ++seed) {
    const std::string broken = run_world(static_cast<unsigned>(seed), steps);
    INFO("seed " << seed);
    REQUIRE(broken == "");
  }
}

TEST_CASE("scheduler: nested tasks end at each depth, with one worker more for each level",
          "[pool]") {
  for (unsigned depth = 0; depth <= 16; ++depth) {
    for (const std::size_t max : {1u, 2u, 5u}) {
      for (const std::size_t concurrency : {1u, 2u, 3u}) {
        Limits limits;
        limits.max = max;
        limits.concurrency = concurrency;
        Nest nest(limits, depth, depth * 10 + 1);
        for (unsigned i = 0; i < 40; ++i) nest.submit_root(i % 5 == 4 ? i % (depth + 1) : 0);
        INFO("depth " << depth << ", max " << max << ", concurrency " << concurrency);
        CHECK(nest.run());
        CHECK(nest.most_workers() <= max + depth);
      }
    }
  }
}
