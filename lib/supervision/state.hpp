#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "supervision/plan.hpp"
#include "supervision/pulse.hpp"
#include "supervision/ready_watch.hpp"
#include "tine/loop.hpp"
#include "tine/signal.hpp"
#include "tine/supervisor.hpp"
#include "uv/event_sequence.hpp"
#include "uv/resident.hpp"
#include "uv/timer.hpp"

namespace tine::supervision {

// The state behind tine::Supervisor: the processes of the children, and what the Plan says is done with
// them.
//
// What happens is noted, and the Plan is told on a later turn. What it decides, and what the user is
// told, is in one queue. So a listener of "hung" runs before the child is killed, and one of "exit" before
// the next start.
//
// Nothing is lost if memory runs out: a note needs none, and it stays until the Plan has been told and
// what it decides is in the queue. Work stays in the queue until all that needs memory is done.
class State final : public Supervisor::Listeners,
                    public uv::Resident,
                    public std::enable_shared_from_this<State> {
 public:
  State(Loop& loop, const SupervisorOptions& options);
  ~State() override;

  void add(ChildSpec spec);
  void start();
  void stop();
  void kill();
  bool restart(std::string_view name);
  ChildProcess child(std::string_view name) const;
  void stop_on(const std::vector<int>& signals);

 private:
  struct Child {
    ChildSpec spec;
    ChildProcess process = {};  // the newest one
    bool forked = false;        // it has not ended, or it is being started
    std::unique_ptr<ReadyWatch> starting = {};
    std::unique_ptr<Pulse> pulse = {};
    std::optional<Error> not_started = {};  // why its process could not be started
    std::optional<Started> started = {};    // what the watch has found
    bool hung = false;
    std::string ended_as = {};
    std::optional<Error> given_up = {};
  };

  struct News {
    enum class Kind { spawned, found, hung, ended };

    Kind kind;
    std::size_t child;
  };

  struct Work {
    enum class Kind { action, tell_start, tell_exit, throw_unheard, retire };

    Kind kind;
    std::size_t child = 0;     // tell_start, tell_exit
    Plan::Action action = {};  // action
  };

  // What listeners get: values of its own, because they may change them.
  struct Told {
    std::string name = {};
    ChildProcess process = {};
    std::string why = {};
  };

  enum class Due { news, queue };

  void listeners_changed() override { check_thread(); }
  void loop_closing() noexcept override;
  std::optional<std::size_t> find(std::string_view name) const;

  void note(News::Kind kind, std::size_t child) noexcept;
  void wake() noexcept;
  void emit(Due due);
  void take_news();
  void take(const News& news);
  template <class F>
  void tell_plan(F event, std::optional<Work> before = {});
  void enqueue(const std::vector<Work>& all);
  void come_back(Clock::time_point now);
  void work_on_queue();
  void prepare(const Plan::Action& action);
  Told about(const Work& work) const;
  void tell(const Work& work, Told& told);
  void tell(const Plan::Action& action, Told& told);

  void start_process(std::size_t number);
  ForkOptions fork_options(const ChildSpec& spec) const;
  void listen_to(std::size_t number);
  void end_process(Child& child, std::vector<StopStep> steps);
  void watch_pulse(std::size_t number);
  void found(std::size_t number);
  void ended(std::size_t number);
  void describe_failure(const Plan::Action& action);
  void tell_failure(const Child& child);
  void close();
  void retire();
  void release() noexcept;

  Loop& loop_;
  SupervisorOptions options_;
  Plan plan_;
  std::deque<Child> children_;
  std::vector<News> news_;  // has room for all that can happen before it is taken: see add()
  std::vector<Work> queue_;
  uv::EventSequence<Due> due_{[this](Due due) { emit(due); }};
  std::optional<uv::RawTimer> pass_;  // runs while a child waits for its next start
  bool time_passed_ = false;
  std::vector<SignalListener> signals_;
  std::size_t signals_came_ = 0;
  std::size_t signals_taken_ = 0;
  std::optional<Error> unheard_;  // to be thrown when all have been stopped
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace tine::supervision
