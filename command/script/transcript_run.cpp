#include "command/script/transcript_run.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "command/script/line_diff.hpp"

namespace tine::command {

namespace {

using std::chrono::milliseconds;

// How long a child may take to end after the last step. Nothing checks how it ends.
constexpr milliseconds time_to_end{5000};
constexpr std::size_t most_remembered = 10;

std::string prefix(const std::string& name) { return name.empty() ? "" : name + ": "; }
std::string receive_text(const std::string& name, const Arrival& arrival) {
  if (arrival.kind == Arrival::Kind::exit) return prefix(name) + exit_text(arrival.status);
  return prefix(name) + "< " + to_string(arrival);
}

std::string time_text(milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s"
                                  : std::to_string(time.count()) + " ms";
}

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Returns what a step expects, for the report of a failure.
std::string expected_text(const Step& step) {
  switch (step.kind) {
    case Step::Kind::fork: return "the child starts";
    case Step::Kind::send: return "a channel to send on, to a child that reads";
    case Step::Kind::expect_disconnect: return "disconnect";
    case Step::Kind::expect_stdout: return "a line of stdout";
    case Step::Kind::exit: return step.status ? exit_text(*step.status) : "exit";
    default: return "a message";
  }
}

}  // namespace

TranscriptRun::TranscriptRun(Loop& loop, const Transcript& transcript, std::filesystem::path folder,
                             bool update, Done done)
    : loop_(loop),
      transcript_(transcript),
      folder_(std::move(folder)),
      updating_(update),
      done_(std::move(done)) {}

TranscriptRun::~TranscriptRun() { timer_.cancel(); }

void TranscriptRun::start() {
  if (transcript_.deadline) {
    deadline_ = Clock::now() + *transcript_.deadline;
    wait_until(*deadline_);
  }
  advance();
}

void TranscriptRun::advance() {
  if (!ending_) run_steps();
  if (ending_) tell_end();
}

void TranscriptRun::run_steps() {
  while (next_ < transcript_.steps.size()) {
    const Step& step = transcript_.steps[next_];
    if (!std::exchange(entered_, true)) {
      step_deadline_ = Clock::now() + step.deadline;
      quiet_until_ = Clock::now() + step.quiet;
    }
    Outcome outcome = try_step(step);
    if (auto* const mismatch = std::get_if<Mismatch>(&outcome)) {
      if (mend(*mismatch)) continue;
      return fail(*mismatch);
    }
    if (std::get<Progress>(outcome) == Progress::waiting) {
      return wait_until(step.kind == Step::Kind::quiet ? quiet_until_ : step_deadline_);
    }
    next_step(group_ ? group_size() : 1);
  }
  end();
}

void TranscriptRun::next_step(std::size_t steps) {
  next_ += steps;
  entered_ = late_ = false;
  group_.reset();
  group_arrivals_.clear();
  group_extras_.clear();
}

TranscriptRun::Outcome TranscriptRun::try_step(const Step& step) {
  switch (step.kind) {
    case Step::Kind::fork: return fork(step);
    case Step::Kind::send: return send(step);
    case Step::Kind::receive: return receive(step);
    case Step::Kind::receive_any_order: return receive_any_order(step);
    case Step::Kind::expect_disconnect: return expect_disconnect(step);
    case Step::Kind::expect_stdout: return expect_stdout(step);
    case Step::Kind::quiet: return quiet(step);
    case Step::Kind::exit: return exit(step);
    case Step::Kind::kill:
      if (children_.at(step.child)->process().kill(step.signal)) return Progress::done;
      return Mismatch{"a child to send " + signal_name(step.signal) + " to", "it has ended"};
    case Step::Kind::disconnect: {
      ChildProcess& process = children_.at(step.child)->process();
      if (!process.connected()) return Mismatch{"an open channel", "it is closed"};
      process.disconnect();
      return Progress::done;
    }
  }
  return Progress::done;
}

// Nothing came: waits until the deadline, and after that is a mismatch.
TranscriptRun::Outcome TranscriptRun::missing(const Step& step) const {
  if (!late_) return Progress::waiting;
  Mismatch mismatch{expected_text(step), "nothing within " + time_text(step.deadline)};
  const bool removable = step.kind == Step::Kind::receive ||
                         step.kind == Step::Kind::expect_disconnect ||
                         step.kind == Step::Kind::expect_stdout;
  if (removable) mismatch.mend = Mismatch::Mend::remove;
  if (step.kind == Step::Kind::receive) {
    mismatch.expected = print_pattern(step.pattern, nullptr, captures_);
  }
  return mismatch;
}

TranscriptRun::Outcome TranscriptRun::fork(const Step& step) {
  auto& child = children_[step.child];
  if (!child) {
    child = std::make_unique<ScriptChild>(loop_, step.child, step.options, folder_,
                                          [this] { advance(); });
  }
  if (child->spawned()) return Progress::done;
  if (child->arrivals().empty()) return missing(step);
  return mismatch(step, child->take_arrival());
}

TranscriptRun::Outcome TranscriptRun::send(const Step& step) {
  ScriptChild& child = *children_.at(step.child);
  if (!child.process().connected()) return Mismatch{expected_text(step), "the channel is closed"};
  if (!child.may_send()) return missing(step);
  const nlohmann::json message = instance(step.pattern, captures_);
  remember(child, "> ", message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  child.send(message);
  return Progress::done;
}

TranscriptRun::Outcome TranscriptRun::receive(const Step& step) {
  ScriptChild& child = *children_.at(step.child);
  if (child.arrivals().empty()) return missing(step);
  const Arrival& first = child.arrivals().front();
  const bool message = first.kind == Arrival::Kind::message;
  if (message && matches(step.pattern, first.value, captures_)) {
    capture(step.pattern, first.value, captures_);
    take(child);
    return Progress::done;
  }
  Mismatch made = mismatch(step, first);
  made.expected = print_pattern(step.pattern, nullptr, captures_);
  if (message) {
    made.mend = Mismatch::Mend::replace;
    made.text = receive_text(step.child, first);
    const int indent = 2;
    made.diff =
        line_diff(print_pattern(step.pattern, &first.value, captures_),
                  first.value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace));
    take(child);
  } else if (first.kind != Arrival::Kind::error) {
    made.mend = Mismatch::Mend::remove;
  }
  return made;
}

std::size_t TranscriptRun::group_size() const {
  const auto& steps = transcript_.steps;
  std::size_t end = next_;
  while (end < steps.size() && steps[end].kind == Step::Kind::receive_any_order &&
         steps[end].child == steps[next_].child) {
    ++end;
  }
  return end - next_;
}

TranscriptRun::Outcome TranscriptRun::receive_any_order(const Step& step) {
  ScriptChild& child = *children_.at(step.child);
  if (!group_) {
    group_.emplace(group_size(), [this](std::size_t place, std::size_t arrival) {
      const Pattern& pattern = transcript_.steps[next_ + place].pattern;
      return matches(pattern, group_arrivals_[arrival].value, captures_);
    });
  }
  while (group_arrivals_.size() + group_extras_.size() < group_size()) {
    if (child.arrivals().empty() && !late_) return Progress::waiting;
    if (child.arrivals().empty() || child.arrivals().front().kind != Arrival::Kind::message) {
      if (updating_) break;
      return no_place(child.arrivals().empty() ? "nothing within " + time_text(step.deadline)
                                               : to_string(child.arrivals().front()));
    }
    group_arrivals_.push_back(take(child));
    if (group_->add()) continue;
    if (!updating_) return no_place(group_arrivals_.back().text);
    group_extras_.push_back(std::move(group_arrivals_.back()));
    group_arrivals_.pop_back();
  }
  end_group(step);
  return Progress::done;
}

// Stores what the group captures. With --update, free places are left: extra messages replace their
// patterns, and the rest are removed.
void TranscriptRun::end_group(const Step& step) {
  auto extra = group_extras_.begin();
  for (std::size_t i = 0; i < group_size(); ++i) {
    if (const auto arrival = group_->arrival_at(i)) {
      capture(transcript_.steps[next_ + i].pattern, group_arrivals_[*arrival].value, captures_);
    } else if (extra != group_extras_.end()) {
      update_.replace(next_ + i, prefix(step.child) + "<* " + (extra++)->text);
    } else {
      update_.remove(next_ + i);
    }
  }
}

TranscriptRun::Mismatch TranscriptRun::no_place(const std::string& came) const {
  Mismatch made;
  made.came = came;
  for (std::size_t i = 0; i < group_size(); ++i) {
    if (group_->arrival_at(i)) continue;
    if (!made.step) made.step = next_ + i;
    made.expected += made.expected.empty() ? "" : "\nor ";
    made.expected += print_pattern(transcript_.steps[next_ + i].pattern, nullptr, captures_);
  }
  return made;
}

TranscriptRun::Outcome TranscriptRun::expect_disconnect(const Step& step) {
  ScriptChild& child = *children_.at(step.child);
  if (child.arrivals().empty()) return missing(step);
  const Arrival first = child.arrivals().front();
  if (first.kind == Arrival::Kind::message) return unexpected(step, first);
  if (first.kind != Arrival::Kind::disconnect) return mismatch(step, first);
  take(child);
  return Progress::done;
}

TranscriptRun::Outcome TranscriptRun::expect_stdout(const Step& step) {
  ScriptChild& child = *children_.at(step.child);
  const std::string expected = "stdout " + print_pattern(step.pattern, nullptr, captures_);
  if (child.stdout_lines().empty()) {
    if (!child.stdout_ended()) return missing(step);
    return Mismatch{expected, "the end of stdout", Mismatch::Mend::remove};
  }
  const std::string line = child.stdout_lines().front();
  const nlohmann::json value = line;
  child.take_stdout_line();
  if (matches(step.pattern, value, captures_)) {
    capture(step.pattern, value, captures_);
    return Progress::done;
  }
  const std::string came = "stdout " + quoted(line);
  return Mismatch{expected, came, Mismatch::Mend::replace, prefix(step.child) + came};
}

TranscriptRun::Outcome TranscriptRun::quiet(const Step& step) {
  for (const auto& [name, child] : children_) {
    if (!step.child.empty() && name != step.child) continue;
    if (child->arrivals().empty()) continue;
    Mismatch made = unexpected(step, child->arrivals().front());
    made.expected = "quiet for " + time_text(step.quiet);
    made.text = receive_text(name, child->arrivals().front());
    take(*child);
    return made;
  }
  return Clock::now() >= quiet_until_ ? Progress::done : Progress::waiting;
}

TranscriptRun::Outcome TranscriptRun::exit(const Step& step) {
  ScriptChild& child = *children_.at(step.child);
  while (!child.arrivals().empty() && child.arrivals().front().kind == Arrival::Kind::disconnect) {
    take(child);
  }
  if (child.arrivals().empty()) return missing(step);
  const Arrival first = take(child);
  if (first.kind == Arrival::Kind::message) return unexpected(step, first);
  if (first.kind != Arrival::Kind::exit) return mismatch(step, first);
  if (!step.status || *step.status == first.status) return Progress::done;
  Mismatch made = mismatch(step, first);
  made.mend = Mismatch::Mend::replace;
  made.text = prefix(step.child) + exit_text(first.status);
  return made;
}

TranscriptRun::Mismatch TranscriptRun::mismatch(const Step& step, const Arrival& arrival) const {
  return {.expected = expected_text(step), .came = to_string(arrival)};
}

TranscriptRun::Mismatch TranscriptRun::unexpected(const Step& step, const Arrival& arrival) const {
  Mismatch made = mismatch(step, arrival);
  if (arrival.kind == Arrival::Kind::error) return made;
  made.mend = Mismatch::Mend::insert;
  made.text = receive_text(step.child, arrival);
  return made;
}

Arrival TranscriptRun::take(ScriptChild& child) {
  Arrival first = child.take_arrival();
  remember(child, "< ", to_string(first));
  return first;
}

void TranscriptRun::remember(const ScriptChild& child, const char* direction,
                             const std::string& text) {
  constexpr std::size_t longest = 200;
  std::string line = prefix(child.name()) + direction + text.substr(0, longest);
  if (text.size() > longest) line += "… (" + std::to_string(text.size()) + " bytes)";
  last_messages_.push_back(std::move(line));
  if (last_messages_.size() > most_remembered) last_messages_.pop_front();
}

// With --update, makes the transcript expect what came. Returns false if that is not possible.
bool TranscriptRun::mend(Mismatch& mismatch) {
  if (!updating_) return false;
  switch (mismatch.mend) {
    case Mismatch::Mend::none: return false;
    case Mismatch::Mend::insert: update_.insert_before(next_, mismatch.text); return true;
    case Mismatch::Mend::remove: update_.remove(next_); break;
    case Mismatch::Mend::replace: update_.replace(next_, mismatch.text); break;
  }
  next_step(1);
  return true;
}

void TranscriptRun::fail(const Mismatch& mismatch) {
  const Step& step = transcript_.steps[mismatch.step.value_or(next_)];
  failure_ = Failure{.line = step.line,
                     .step = step.source,
                     .expected = mismatch.expected,
                     .came = mismatch.came,
                     .diff = mismatch.diff,
                     .last_messages = {last_messages_.begin(), last_messages_.end()}};
  end();
}

// --- time

// Sets the one timer. A timer that is due earlier stays: when it fires, the step is tried again and
// waits anew.
void TranscriptRun::wait_until(Clock::time_point time) {
  if (timer_due_ && *timer_due_ <= time) return;
  timer_.cancel();
  timer_due_ = time;
  const auto delay = std::chrono::ceil<milliseconds>(time - Clock::now());
  timer_ = loop_.after(std::max(delay, milliseconds(0)), [this] { on_time(); });
}

void TranscriptRun::on_time() {
  timer_due_.reset();
  const auto now = Clock::now();
  if (ending_) {
    for (const auto& [name, child] : children_) {
      child->process().kill(SIGKILL);
      // Another process may hold the pipe open.
      if (Stream out = child->process().out()) out.destroy();
    }
    return;
  }
  if (deadline_) {
    if (now >= *deadline_) {
      return fail(
          {"all steps within " + time_text(*transcript_.deadline), "this step is not done"});
    }
    wait_until(*deadline_);
  }
  late_ = now >= step_deadline_;
  advance();
}

// --- ending

void TranscriptRun::end() {
  ending_ = true;
  for (const auto& [name, child] : children_) {
    if (failure_) {
      child->process().kill(SIGKILL);
    } else if (child->process().connected()) {
      child->process().disconnect();
    }
  }
  wait_until(Clock::now() + time_to_end);
  loop_.post([this] { advance(); });
}

void TranscriptRun::tell_end() {
  const auto closed = [](const auto& child) { return child.second->closed(); };
  if (told_ || !std::all_of(children_.begin(), children_.end(), closed)) return;
  told_ = true;
  timer_.cancel();
  std::optional<std::string> updated;
  if (!update_.empty() && !failure_) updated = update_.applied(transcript_);
  done_(std::move(failure_), std::move(updated));
}

}  // namespace tine::command
