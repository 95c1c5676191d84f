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
std::string dumped(const nlohmann::json& value, int indent = -1) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string reply_text(const Reply& reply) {
  return std::string(reply_words(reply.kind)) + dumped(*reply.value);
}

// Returns the statement that expects the arrival.
std::string receive_text(const ScriptChild& child, const Arrival& arrival) {
  if (arrival.kind == Arrival::Kind::exit) return prefix(child.name()) + exit_text(arrival.status);
  if (const auto reply = child.reply(arrival)) return prefix(child.name()) + reply_text(*reply);
  return prefix(child.name()) + "< " + to_string(arrival);
}

bool is_reply(Step::Kind kind) { return !reply_words(kind).empty(); }

// Whether --update may drop a step for which nothing came.
bool is_removable(Step::Kind kind) {
  return kind == Step::Kind::receive || kind == Step::Kind::expect_disconnect ||
         kind == Step::Kind::expect_stdout || is_reply(kind);
}

std::string time_text(milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s"
                                  : std::to_string(time.count()) + " ms";
}

}  // namespace

TranscriptRun::TranscriptRun(Loop& loop, const Transcript& transcript, std::filesystem::path folder,
                             bool update, Done done)
    : loop_(loop),
      transcript_(transcript),
      folder_(std::move(folder)),
      done_(std::move(done)),
      deadlines_(loop, [this] { on_time_up(); }) {
  if (update) update_.emplace();
}

void TranscriptRun::start() {
  if (transcript_.deadline) deadlines_.start_all(*transcript_.deadline);
  advance();
}

void TranscriptRun::advance() {
  if (state_ == State::running) run_steps();
  if (state_ == State::ending) report_end();
}

void TranscriptRun::run_steps() {
  while (next_ < transcript_.steps.size()) {
    const Step& step = transcript_.steps[next_];
    deadlines_.start_step(step.kind == Step::Kind::quiet ? step.quiet : step.deadline);
    Outcome outcome = try_step(step);
    if (auto* const mismatch = std::get_if<Mismatch>(&outcome)) {
      if (mend(*mismatch)) continue;
      return fail(*mismatch);
    }
    if (std::get<Progress>(outcome) == Progress::waiting) return deadlines_.wait();
    next_step(group_ ? group_->size() : 1);
  }
  end();
}

void TranscriptRun::next_step(std::size_t steps) {
  next_ += steps;
  deadlines_.end_step();
  group_.reset();
}

void TranscriptRun::on_time_up() {
  if (deadlines_.all_up()) {
    return fail({"all steps within " + time_text(*transcript_.deadline), "this step is not done"});
  }
  advance();
}

TranscriptRun::Outcome TranscriptRun::try_step(const Step& step) {
  switch (step.kind) {
    case Step::Kind::fork: return fork(step);
    case Step::Kind::send:
    case Step::Kind::call:
    case Step::Kind::cancel: return send(step);
    case Step::Kind::receive: return receive(step);
    case Step::Kind::receive_any_order: return receive_any_order(step);
    case Step::Kind::expect_disconnect: return expect_disconnect(step);
    case Step::Kind::expect_stdout: return expect_stdout(step);
    case Step::Kind::expect_progress:
    case Step::Kind::expect_result:
    case Step::Kind::expect_error: return expect_reply(step);
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
  if (!deadlines_.step_up()) return Progress::waiting;
  Mismatch mismatch{expected_text(step), "nothing within " + time_text(step.deadline)};
  if (is_removable(step.kind)) mismatch.mend = Mismatch::Mend::remove;
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
  if (step.kind == Step::Kind::cancel) {
    child.cancel();
    remember(child, "cancel");
    return Progress::done;
  }
  const bool has_params = step.pattern.kind != Pattern::Kind::any;
  const nlohmann::json message = has_params ? instance(step.pattern, captures_) : nullptr;
  if (step.kind == Step::Kind::send) {
    remember(child, "> " + dumped(message));
    child.send(message);
  } else {
    remember(child, "call " + step.method + (has_params ? " " + dumped(message) : ""));
    child.call(step.method, message);
  }
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
  if (message) {
    made.mend = Mismatch::Mend::replace;
    made.text = receive_text(child, first);
    made.diff = difference(step, first.value);
    take(child);
  } else if (first.kind != Arrival::Kind::error) {
    made.mend = Mismatch::Mend::remove;
  }
  return made;
}

std::span<const Step> TranscriptRun::group_steps() const {
  const std::span<const Step> steps = std::span(transcript_.steps).subspan(next_);
  const auto belongs = [&](const Step& step) {
    return step.kind == Step::Kind::receive_any_order && step.child == steps.front().child;
  };
  const auto end = std::find_if_not(steps.begin(), steps.end(), belongs);
  return steps.first(static_cast<std::size_t>(end - steps.begin()));
}

TranscriptRun::Outcome TranscriptRun::receive_any_order(const Step& step) {
  ScriptChild& child = *children_.at(step.child);
  if (!group_) group_.emplace(group_steps(), captures_);
  while (!group_->complete()) {
    const bool nothing = child.arrivals().empty();
    if (nothing && !deadlines_.step_up()) return Progress::waiting;
    if (nothing || child.arrivals().front().kind != Arrival::Kind::message) {
      if (update_) break;
      return no_place(nothing ? "nothing within " + time_text(step.deadline)
                              : to_string(child.arrivals().front()));
    }
    if (!group_->add(take(child)) && !update_) return no_place(group_->extras().back().text);
  }
  end_group(step);
  return Progress::done;
}

// Stores what the group captures. With --update, free places are left: extra messages replace their
// patterns, and the rest are removed.
void TranscriptRun::end_group(const Step& step) {
  auto extra = group_->extras().begin();
  for (std::size_t i = 0; i < group_->size(); ++i) {
    if (const Arrival* const arrival = group_->at(i)) {
      capture(transcript_.steps[next_ + i].pattern, arrival->value, captures_);
    } else if (extra != group_->extras().end()) {
      update_->replace(next_ + i, prefix(step.child) + "<* " + (extra++)->text);
    } else {
      update_->remove(next_ + i);
    }
  }
}

TranscriptRun::Mismatch TranscriptRun::no_place(const std::string& came) const {
  Mismatch made;
  made.came = came;
  for (std::size_t i = 0; i < group_->size(); ++i) {
    if (group_->at(i) != nullptr) continue;
    if (!made.step) made.step = next_ + i;
    made.expected += made.expected.empty() ? "" : "\nor ";
    made.expected += print_pattern(transcript_.steps[next_ + i].pattern, nullptr, captures_);
  }
  return made;
}

TranscriptRun::Outcome TranscriptRun::expect_disconnect(const Step& step) {
  ScriptChild& child = *children_.at(step.child);
  if (child.arrivals().empty()) return missing(step);
  const Arrival& first = child.arrivals().front();
  if (first.kind == Arrival::Kind::message) return unexpected(step, child);
  if (first.kind != Arrival::Kind::disconnect) return mismatch(step, first);
  take(child);
  return Progress::done;
}

TranscriptRun::Outcome TranscriptRun::expect_stdout(const Step& step) {
  ScriptChild& child = *children_.at(step.child);
  if (child.stdout_lines().empty()) {
    if (!child.stdout_lines().ended()) return missing(step);
    return Mismatch{expected_text(step), "the end of stdout", Mismatch::Mend::remove};
  }
  const std::string line = child.stdout_lines().take();
  const nlohmann::json value = line;
  if (matches(step.pattern, value, captures_)) {
    capture(step.pattern, value, captures_);
    return Progress::done;
  }
  const std::string came = "stdout " + dumped(value);
  return Mismatch{expected_text(step), came, Mismatch::Mend::replace, prefix(step.child) + came};
}

TranscriptRun::Outcome TranscriptRun::expect_reply(const Step& step) {
  ScriptChild& child = *children_.at(step.child);
  if (child.arrivals().empty()) return missing(step);
  const auto reply = child.reply(child.arrivals().front());
  if (!reply || reply->kind != step.kind || !matches(step.pattern, *reply->value, captures_)) {
    return wrong_reply(step, child);
  }
  capture(step.pattern, *reply->value, captures_);
  take(child);
  return Progress::done;
}

// With --update, an answer or a value of progress replaces another one. Whatever else comes before an
// answer is put before it, and an answer ends the wait for progress.
TranscriptRun::Mismatch TranscriptRun::wrong_reply(const Step& step, ScriptChild& child) {
  const Arrival& first = child.arrivals().front();
  const auto reply = child.reply(first);
  const bool is_progress = reply && reply->kind == Step::Kind::expect_progress;
  const bool expects_progress = step.kind == Step::Kind::expect_progress;
  Mismatch made{expected_text(step), reply ? reply_text(*reply) : to_string(first)};
  if (reply && reply->kind == step.kind) made.diff = difference(step, *reply->value);
  if (reply && is_progress == expects_progress) {
    made.mend = Mismatch::Mend::replace;
    made.text = (step.joined ? "" : prefix(step.child)) + made.came;
  } else if (is_progress || (!reply && first.kind == Arrival::Kind::message)) {
    made.mend = Mismatch::Mend::insert;
    made.text = receive_text(child, first);
  } else {
    if (first.kind != Arrival::Kind::error) made.mend = Mismatch::Mend::remove;
    return made;
  }
  take(child);
  return made;
}

TranscriptRun::Outcome TranscriptRun::quiet(const Step& step) {
  for (const auto& [name, child] : children_) {
    if (!step.child.empty() && name != step.child) continue;
    if (child->arrivals().empty()) continue;
    Mismatch made = unexpected(step, *child);
    made.expected = "quiet for " + time_text(step.quiet);
    return made;
  }
  return deadlines_.step_up() ? Progress::done : Progress::waiting;
}

TranscriptRun::Outcome TranscriptRun::exit(const Step& step) {
  ScriptChild& child = *children_.at(step.child);
  while (!child.arrivals().empty() && child.arrivals().front().kind == Arrival::Kind::disconnect) {
    take(child);
  }
  if (child.arrivals().empty()) return missing(step);
  if (child.arrivals().front().kind == Arrival::Kind::message) return unexpected(step, child);
  const Arrival first = take(child);
  if (first.kind != Arrival::Kind::exit) return mismatch(step, first);
  if (!step.status || *step.status == first.status) return Progress::done;
  Mismatch made = mismatch(step, first);
  made.mend = Mismatch::Mend::replace;
  made.text = prefix(step.child) + exit_text(first.status);
  return made;
}

// Returns what a step expects, for the report of a failure.
std::string TranscriptRun::expected_text(const Step& step) const {
  switch (step.kind) {
    case Step::Kind::fork: return "the child starts";
    case Step::Kind::send:
    case Step::Kind::call:
    case Step::Kind::cancel: return "a channel to send on, to a child that reads";
    case Step::Kind::expect_disconnect: return "disconnect";
    case Step::Kind::expect_stdout:
      return "stdout " + print_pattern(step.pattern, nullptr, captures_);
    case Step::Kind::exit: return step.status ? exit_text(*step.status) : "exit";
    default:
      return std::string(reply_words(step.kind)) + print_pattern(step.pattern, nullptr, captures_);
  }
}

// Returns the lines in which a value differs from the step's pattern.
std::vector<std::string> TranscriptRun::difference(const Step& step,
                                                   const nlohmann::json& value) const {
  return line_diff(print_pattern(step.pattern, &value, captures_), dumped(value, 2));
}

TranscriptRun::Mismatch TranscriptRun::mismatch(const Step& step, const Arrival& arrival) const {
  return {.expected = expected_text(step), .came = to_string(arrival)};
}

// Takes what came instead of the step, or before it.
TranscriptRun::Mismatch TranscriptRun::unexpected(const Step& step, ScriptChild& child) {
  const Arrival& first = child.arrivals().front();
  Mismatch made = mismatch(step, first);
  if (first.kind != Arrival::Kind::error) {
    made.mend = Mismatch::Mend::insert;
    made.text = receive_text(child, first);
  }
  take(child);
  return made;
}

Arrival TranscriptRun::take(ScriptChild& child) {
  const auto reply = child.reply(child.arrivals().front());
  remember(child, reply ? reply_text(*reply) : "< " + to_string(child.arrivals().front()));
  return child.take_arrival();
}

void TranscriptRun::remember(const ScriptChild& child, const std::string& text) {
  constexpr std::size_t longest = 200;
  std::string line = prefix(child.name()) + text.substr(0, longest);
  if (text.size() > longest) line += "… (" + std::to_string(text.size()) + " bytes)";
  last_messages_.push_back(std::move(line));
  if (last_messages_.size() > most_remembered) last_messages_.pop_front();
}

// With --update, makes the transcript expect what came. Returns false if that is not possible.
bool TranscriptRun::mend(Mismatch& mismatch) {
  if (!update_) return false;
  switch (mismatch.mend) {
    case Mismatch::Mend::none: return false;
    case Mismatch::Mend::insert: update_->insert_before(next_, mismatch.text); return true;
    case Mismatch::Mend::remove: update_->remove(next_); break;
    case Mismatch::Mend::replace: update_->replace(next_, mismatch.text); break;
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

// --- ending

// The deadlines of steps do not cut short the time that children have to end.
void TranscriptRun::end() {
  state_ = State::ending;
  deadlines_.stop();
  for (const auto& [name, child] : children_) {
    if (failure_) {
      child->process().kill(SIGKILL);
    } else if (child->process().connected()) {
      child->process().disconnect();
    }
  }
  kill_timer_ = loop_.after(time_to_end, [this] { kill_children(); });
  loop_.post([this] { advance(); });
}

void TranscriptRun::kill_children() {
  for (const auto& [name, child] : children_) {
    child->process().kill(SIGKILL);
    // Another process may hold the pipe open.
    if (Stream out = child->process().out()) out.destroy();
  }
}

void TranscriptRun::report_end() {
  const auto closed = [](const auto& child) { return child.second->closed(); };
  if (!std::all_of(children_.begin(), children_.end(), closed)) return;
  state_ = State::ended;
  kill_timer_.cancel();
  std::optional<std::string> updated;
  if (update_ && !update_->empty() && !failure_) updated = update_->applied(transcript_);
  done_(std::move(failure_), std::move(updated));
}

}  // namespace tine::command
