#include "supervision/plan.hpp"

#include <algorithm>
#include <utility>

namespace tine::supervision {

namespace {

using Kind = Plan::Action::Kind;

}  // namespace

// --- events

void Plan::add(Restart restart, const Backoff& backoff, Clock::time_point now) {
  children_.push_back({restart, Failures(backoff)});
  go_on(now);
}

void Plan::start(Clock::time_point now) {
  if (phase_ == Phase::new_) phase_ = Phase::running;
  go_on(now);
}

void Plan::ready(std::size_t child, Clock::time_point now) {
  if (children_[child].state != State::starting) return;
  children_[child].state = State::ready;
  children_[child].ready_at = now;
  add_action(Kind::tell_ready, child);
  go_on(now);
}

// One that is to be stopped for another one waits for its turn.
void Plan::not_ready(std::size_t number) {
  const Child& child = children_[number];
  if (child.state == State::starting && !child.to_be_stopped) begin_to_stop(number);
}

void Plan::hung(std::size_t child) {
  if (children_[child].state != State::ready) return;
  children_[child].state = State::stopping;
  add_action(Kind::tell_hung, child);
  add_action(Kind::abort, child);
}

// A child that ends before it is its turn to be stopped may do so because the one that it depends on
// has ended. That is no failure of its own.
void Plan::ended(std::size_t number, bool success, double random, Clock::time_point now) {
  Child& child = children_[number];
  if (!child.alive()) return;
  const State was = std::exchange(child.state, State::over);
  const bool asked = std::exchange(child.to_be_stopped, false);
  const bool by_hand = std::exchange(child.by_hand, false);
  if (child.ready_at) {
    child.failures.was_ready_for(
        std::chrono::duration_cast<std::chrono::milliseconds>(now - *child.ready_at));
    child.ready_at.reset();
  }
  const bool good = success && was != State::stopping;
  if (phase_ != Phase::running) {
    // It stays over.
  } else if (asked) {
    if (by_hand || child.restart != Restart::temporary) child.state = State::waiting;
  } else if (child.restart == Restart::permanent ||
             (child.restart == Restart::transient && !good)) {
    failed(number, random, now);
  }
  go_on(now);
}

void Plan::restart(std::size_t number, Clock::time_point now) {
  if (phase_ != Phase::running) return;
  Child& child = children_[number];
  child.failures.forget();
  child.failed_at.clear();
  child.not_before = now;
  if (child.alive()) {
    child.to_be_stopped = child.by_hand = true;
  } else {
    child.state = State::waiting;
  }
  stop_dependents_of(number);
  go_on(now);
}

void Plan::stop(Clock::time_point now) {
  if (phase_ == Phase::stopping || phase_ == Phase::closed) return;
  stop_all();
  go_on(now);
}

void Plan::kill(Clock::time_point now) {
  stop(now);
  for (std::size_t i = children_.size(); i-- > 0;) {
    if (children_[i].alive()) add_action(Kind::kill, i);
  }
}

Clock::time_point Plan::next_pass(Clock::time_point now) const {
  auto next = uv::no_deadline;
  if (phase_ != Phase::running) return next;
  for (const Child& child : children_) {
    const bool later = child.state == State::waiting && child.not_before > now;
    if (later) next = std::min(next, child.not_before);
  }
  return next;
}

// --- failures

void Plan::failed(std::size_t number, double random, Clock::time_point now) {
  Child& child = children_[number];
  if (too_often(child, now)) return give_up(number);
  const auto delay = child.failures.count(random);
  child.state = State::waiting;
  child.not_before = uv::deadline_after(now, delay);
  add_action(Kind::tell_restart, number, delay);
  stop_dependents_of(number);
}

bool Plan::too_often(Child& child, Clock::time_point now) const {
  auto& all = child.failed_at;
  all.push_back(now);
  while (uv::deadline_after(all.front(), options_.period) <= now && all.size() > 1) all.pop_front();
  const bool too_many = all.size() > options_.restarts;
  if (options_.give_up != SupervisorOptions::GiveUp::never) return too_many;
  if (too_many) all.pop_front();
  return false;
}

// The child is over already.
void Plan::give_up(std::size_t number) {
  actions_.push_back(
      {.kind = Kind::tell_failed, .child = number, .failures = children_[number].failed_at.size()});
  if (options_.give_up == SupervisorOptions::GiveUp::all) stop_all();
}

// --- stopping

void Plan::stop_dependents_of(std::size_t number) {
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const bool depends = options_.strategy == Strategy::one_for_all ||
                         (options_.strategy == Strategy::rest_for_one && i > number);
    if (depends && i != number && children_[i].alive()) children_[i].to_be_stopped = true;
  }
}

void Plan::stop_all() {
  phase_ = Phase::stopping;
  for (Child& child : children_) child.to_be_stopped = child.alive();
}

void Plan::begin_to_stop(std::size_t number) {
  if (std::exchange(children_[number].state, State::stopping) == State::stopping) return;
  add_action(Kind::stop, number);
}

// Asks the last child to end, and the others when it has. Children that do not depend on one another
// are only stopped in order when all are.
void Plan::go_on_stopping() {
  for (std::size_t i = children_.size(); i-- > 0;) {
    if (!children_[i].to_be_stopped) continue;
    begin_to_stop(i);
    if (phase_ != Phase::running || !independent()) return;
  }
}

// --- starting

void Plan::start_child(std::size_t number) {
  children_[number].state = State::starting;
  add_action(Kind::start, number);
}

void Plan::go_on_starting(Clock::time_point now) {
  independent() ? start_some(now) : start_next(now);
}

void Plan::start_some(Clock::time_point now) {
  const auto most = std::max<std::size_t>(options_.starting, 1);
  auto starting = static_cast<std::size_t>(
      std::count_if(children_.begin(), children_.end(),
                    [](const Child& child) { return child.state == State::starting; }));
  for (std::size_t i = 0; i < children_.size() && starting < most; ++i) {
    if (children_[i].state != State::waiting || children_[i].not_before > now) continue;
    start_child(i);
    ++starting;
  }
}

// Starts the first child that is not ready, unless it is alive or has to wait.
void Plan::start_next(Clock::time_point now) {
  if (any([](const Child& child) { return child.to_be_stopped; })) return;
  const auto next = std::find_if(children_.begin(), children_.end(), [](const Child& child) {
    return child.state != State::ready && child.state != State::over;
  });
  if (next == children_.end() || next->state != State::waiting || next->not_before > now) return;
  start_child(static_cast<std::size_t>(next - children_.begin()));
}

void Plan::go_on(Clock::time_point now) {
  go_on_stopping();
  if (phase_ == Phase::running) go_on_starting(now);
  look_for_end();
}

bool Plan::any(bool (*matches)(const Child&)) const {
  return std::any_of(children_.begin(), children_.end(), matches);
}

void Plan::look_for_end() {
  const bool stopped = phase_ == Phase::stopping && !any([](const Child& c) { return c.alive(); });
  const bool all_over = phase_ == Phase::running && !children_.empty() &&
                        !any([](const Child& c) { return c.state != State::over; });
  if (!stopped && !all_over) return;
  phase_ = Phase::closed;
  add_action(Kind::close);
}

}  // namespace tine::supervision
