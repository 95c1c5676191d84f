#include "supervision/state.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "spawn/subprocess.hpp"

namespace tine::supervision {

namespace {

using Kind = Plan::Action::Kind;

constexpr auto abort_patience = std::chrono::seconds(5);

// Returns how a process has ended; nothing if it could not be started.
ExitStatus status_of(const ChildProcess& process) {
  return process.exit_status().value_or(ExitStatus{});
}

std::string how_it_ended(const ChildProcess& process) {
  return "process " + std::to_string(process.pid().value_or(0)) + " ended with " +
         to_string(status_of(process));
}

std::string within(std::chrono::milliseconds time) {
  return "within " + std::to_string(time.count()) + " ms";
}

// Returns why a process was stopped, if that is its own fault; or an empty text.
std::string fault_of(const ChildSpec& spec, const std::optional<Started>& started, bool hung) {
  if (hung) return "it did not answer its heartbeat " + within(spec.heartbeat.deadline);
  if (!started) return {};
  if (started->as == Started::As::late) return "it was not ready " + within(spec.ready_deadline);
  return started->refusal ? "it was not ready: " + std::string(started->refusal->what()) : "";
}

std::string times(std::size_t count) {
  return count == 1 ? "once" : std::to_string(count) + " times";
}

}  // namespace

State::State(Loop& loop, const SupervisorOptions& options)
    : Resident(core_of(loop)), loop_(loop), options_(options), plan_(options) {}

State::~State() { release(); }

// --- calls of the user

void State::add(ChildSpec spec) {
  if (core() == nullptr) return;
  if (spec.name.empty()) throw Error(Errc::invalid_argument, "a supervised child has no name");
  if (find(spec.name)) {
    throw Error(Errc::invalid_argument, "two supervised children are named \"" + spec.name + "\"");
  }
  constexpr std::size_t news_of_a_process = 4;
  news_.reserve((children_.size() + 1) * news_of_a_process);
  const Restart restart = spec.restart;
  const Backoff backoff = spec.backoff;
  children_.push_back({.spec = std::move(spec)});
  try {
    tell_plan([&](Plan& plan, auto now) { plan.add(restart, backoff, now); });
  } catch (...) {
    children_.pop_back();
    throw;
  }
}

void State::start() {
  tell_plan([](Plan& plan, auto now) { plan.start(now); });
}

void State::stop() {
  tell_plan([](Plan& plan, auto now) { plan.stop(now); });
}

void State::kill() {
  tell_plan([](Plan& plan, auto now) { plan.kill(now); });
}

bool State::restart(std::string_view name) {
  const auto number = find(name);
  if (number) tell_plan([&](Plan& plan, auto now) { plan.restart(*number, now); });
  return number.has_value();
}

ChildProcess State::child(std::string_view name) const {
  const auto number = find(name);
  return number ? children_[*number].process : ChildProcess();
}

std::optional<std::size_t> State::find(std::string_view name) const {
  check_thread();
  const auto child = std::find_if(children_.begin(), children_.end(),
                                  [&](const Child& each) { return each.spec.name == name; });
  if (child == children_.end()) return std::nullopt;
  return static_cast<std::size_t>(child - children_.begin());
}

// All of the signals are taken, or none.
void State::stop_on(const std::vector<int>& signals) {
  if (core() == nullptr) return;
  const std::size_t before = signals_.size();
  signals_.reserve(before + signals.size());
  try {
    for (const int signal : signals) {
      signals_.push_back(on_signal(loop_, signal, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        ++self->signals_came_;
        self->wake();
      }));
    }
  } catch (...) {
    for (; signals_.size() > before; signals_.pop_back()) signals_.back().cancel();
    throw;
  }
}

// --- what has happened

// There is room for it: nothing more can happen to a child that has ended before that is taken.
void State::note(News::Kind kind, std::size_t child) noexcept {
  news_.push_back({kind, child});
  wake();
}

void State::wake() noexcept { due_.schedule(Due::news, core(), shared_from_this()); }

void State::emit(Due due) {
  due == Due::news ? due_.attempt(due, [this] { take_news(); }) : work_on_queue();
}

void State::take_news() {
  for (; !news_.empty(); news_.erase(news_.begin())) take(news_.front());
  for (; signals_taken_ < signals_came_; ++signals_taken_) signals_taken_ == 0 ? stop() : kill();
  if (!time_passed_) return;
  tell_plan([](Plan& plan, auto now) { plan.pass(now); });
  time_passed_ = false;
}

void State::take(const News& news) {
  const std::size_t number = news.child;
  switch (news.kind) {
    case News::Kind::spawned:
      return enqueue({Work{.kind = Work::Kind::tell_start, .child = number}});
    case News::Kind::found: return found(number);
    case News::Kind::hung:
      children_[number].hung = true;
      return tell_plan([&](Plan& plan, auto) { plan.hung(number); });
    case News::Kind::ended: return ended(number);
  }
}

// --- the plan and the queue

// Does all of it or nothing: `event` gets a copy of the plan, and the time. `before` is work that comes
// before what the plan decides. Without a loop, nothing is done any more.
template <class F>
void State::tell_plan(F event, std::optional<Work> before) {
  if (core() == nullptr) return;
  const auto now = Clock::now();
  Plan changed = plan_;
  event(changed, now);
  std::vector<Work> works;
  if (before) works.push_back(*before);
  for (const Plan::Action& action : changed.take_actions()) {
    const bool last = action.kind == Kind::close;
    if (last) works.push_back({.kind = Work::Kind::throw_unheard});
    works.push_back({.kind = Work::Kind::action, .action = action});
    if (last) works.push_back({.kind = Work::Kind::retire});
  }
  if (!pass_ && changed.next_pass(now) != uv::no_deadline) {
    pass_.emplace(*core(), [this] {
      time_passed_ = true;
      wake();
    });
  }
  enqueue(works);
  plan_ = std::move(changed);
  come_back(now);
}

// From the first work on, the loop keeps this until "close".
void State::enqueue(const std::vector<Work>& all) {
  if (all.empty() || core() == nullptr) return;
  queue_.reserve(queue_.size() + all.size());
  core()->keep(shared_from_this());
  queue_.insert(queue_.end(), all.begin(), all.end());
  due_.schedule(Due::queue, core(), shared_from_this());
}

// Sees to it that the plan is told when the time has come for the next start.
void State::come_back(Clock::time_point now) {
  const auto next = plan_.next_pass(now);
  if (next == uv::no_deadline) return pass_.reset();
  pass_->start(std::chrono::ceil<std::chrono::milliseconds>(next - now));
}

// Does the work that is there now. Listeners may add more of it.
void State::work_on_queue() {
  for (std::size_t left = queue_.size(); left > 0 && !queue_.empty(); --left) {
    const Work work = queue_.front();
    Told told;
    due_.attempt(Due::queue, [&] {
      if (work.kind == Work::Kind::action) prepare(work.action);
      told = about(work);
    });
    queue_.erase(queue_.begin());
    due_.set_due(Due::queue, !queue_.empty());
    tell(work, told);
  }
}

// Does all for an action that needs memory, and runs no user code. If there is no memory, it is called
// again.
void State::prepare(const Plan::Action& action) {
  if (action.kind == Kind::close) return;
  Child& child = children_[action.child];
  switch (action.kind) {
    case Kind::start: return start_process(action.child);
    case Kind::stop: return end_process(child, child.spec.stop);
    case Kind::abort:
      return end_process(child, {StopStep::signal(child.spec.heartbeat.signal, abort_patience)});
    case Kind::kill: child.process.kill_tree(SIGKILL); return;
    case Kind::tell_ready: return watch_pulse(action.child);
    case Kind::tell_failed: return describe_failure(action);
    default: return;
  }
}

State::Told State::about(const Work& work) const {
  const bool action = work.kind == Work::Kind::action;
  if (children_.empty()) return {};
  const Child& child = children_[action ? work.action.child : work.child];
  const bool restart = action && work.action.kind == Kind::tell_restart;
  return {child.spec.name, child.process, restart ? child.ended_as : ""};
}

void State::tell(const Work& work, Told& told) {
  ExitStatus status = status_of(told.process);
  switch (work.kind) {
    case Work::Kind::action: return tell(work.action, told);
    case Work::Kind::tell_start: return notify<"start">(told.name, told.process);
    case Work::Kind::tell_exit: return notify<"exit">(told.name, status);
    case Work::Kind::throw_unheard:
      if (unheard_) throw *std::exchange(unheard_, std::nullopt);
      return;
    case Work::Kind::retire: return retire();
  }
}

void State::tell(const Plan::Action& action, Told& told) {
  auto delay = action.delay;
  switch (action.kind) {
    case Kind::tell_ready: return notify<"ready">(told.name, told.process);
    case Kind::tell_hung: return notify<"hung">(told.name);
    case Kind::tell_restart: return notify<"restart">(told.name, delay, told.why);
    case Kind::tell_failed: return tell_failure(children_[action.child]);
    case Kind::close: return close();
    default: return;
  }
}

// --- one process

// It is listened to at last, so that there are no listeners if this has to be done again.
void State::start_process(std::size_t number) {
  Child& child = children_[number];
  if (!child.forked) {
    child.process = fork(loop_, child.spec.module, fork_options(child.spec));
    child.forked = true;
    child.not_started.reset();
    child.started.reset();
    child.hung = false;
  }
  if (!child.starting) {
    child.starting = std::make_unique<ReadyWatch>(*core(), child.process, child.spec.ready,
                                                  child.spec.ready_deadline,
                                                  [this, number](const Started& started) {
                                                    children_[number].started = started;
                                                    note(News::Kind::found, number);
                                                  });
  }
  listen_to(number);
}

// A terminal sends Ctrl-C to all processes of its group.
ForkOptions State::fork_options(const ChildSpec& spec) const {
  ForkOptions options = spec.fork;
  if (!options.own_group) options.own_group = !options.detached && spawn::Subprocess::does_all();
  return options;
}

// The listeners belong to the process, which may outlive this object. Adds all or none.
void State::listen_to(std::size_t number) {
  const ChildProcess process = children_[number].process;
  const auto noting = [&](News::Kind kind) {
    return [weak = weak_from_this(), kind, child = static_cast<std::uint32_t>(number)] {
      if (const auto self = weak.lock()) self->note(kind, child);
    };
  };
  const auto noting_error = [weak = weak_from_this(), number](const Error& error) {
    if (const auto self = weak.lock()) self->children_[number].not_started = error;
  };
  const Subscription first = process.pid() ? process.once<"spawn">(noting(News::Kind::spawned))
                                           : process.on<"error">(noting_error);
  try {
    process.pid() ? process.once<"exit">(noting(News::Kind::ended))
                  : process.once<"close">(noting(News::Kind::ended));
  } catch (...) {
    process.off(first);
    throw;
  }
}

// A child that is being ended is not watched any more.
void State::end_process(Child& child, std::vector<StopStep> steps) {
  child.starting.reset();
  child.pulse.reset();
  child.process.stop({.steps = std::move(steps), .tree = true});
}

// The process may have ended since it was ready.
void State::watch_pulse(std::size_t number) {
  Child& child = children_[number];
  if (child.spec.heartbeat.every.count() <= 0 || !child.process.kill(0)) return;
  child.pulse = std::make_unique<Pulse>(*core(), child.process, child.spec.heartbeat,
                                        [this, number] { note(News::Kind::hung, number); });
}

// Of one that has ended, "exit" tells.
void State::found(std::size_t number) {
  const auto& started = children_[number].started;
  if (!started || started->as == Started::As::ended) return;
  const bool ready = started->as == Started::As::ready;
  tell_plan(
      [&](Plan& plan, auto now) { ready ? plan.ready(number, now) : plan.not_ready(number); });
}

void State::ended(std::size_t number) {
  Child& child = children_[number];
  child.starting.reset();
  child.pulse.reset();
  child.ended_as = child.not_started ? child.not_started->what() : how_it_ended(child.process);
  const std::string fault = fault_of(child.spec, child.started, child.hung);
  if (!fault.empty()) child.ended_as = fault + ", and " + child.ended_as;
  const bool success = status_of(child.process).success();
  const double random = std::uniform_real_distribution<>()(random_);
  std::optional<Work> told;
  if (!child.not_started) told = Work{.kind = Work::Kind::tell_exit, .child = number};
  tell_plan([&](Plan& plan, auto now) { plan.ended(number, success, random, now); }, told);
  child.forked = false;
}

// --- the end

void State::describe_failure(const Plan::Action& action) {
  Child& child = children_[action.child];
  child.given_up = Error(Errc::given_up,
                         "child \"" + child.spec.name + "\" has failed " + times(action.failures) +
                             " " + within(options_.period) + "; at last: " + child.ended_as);
}

void State::tell_failure(const Child& child) {
  Error error = child.given_up.value();
  if (list<"failed">().count() > 0) return notify<"failed">(error);
  if (options_.give_up == SupervisorOptions::GiveUp::child) throw error;
  unheard_ = error;
}

void State::close() {
  release();
  notify<"close">();
}

void State::retire() {
  const auto keep = shared_from_this();
  clear();
  core()->release(*this);
}

void State::release() noexcept {
  pass_.reset();
  for (Child& child : children_) {
    child.starting.reset();
    child.pulse.reset();
  }
  for (const SignalListener& signal : std::exchange(signals_, {})) signal.cancel();
}

void State::loop_closing() noexcept {
  const auto keep = weak_from_this().lock();
  release();
  queue_.clear();
  clear();
}

}  // namespace tine::supervision
