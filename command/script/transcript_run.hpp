#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "command/script/deadlines.hpp"
#include "command/script/message_group.hpp"
#include "command/script/script_child.hpp"
#include "command/script/script_result.hpp"
#include "command/script/transcript.hpp"
#include "command/script/transcript_update.hpp"
#include "tine/loop.hpp"

namespace tine::command {

// A run of the steps of one transcript. Other transcripts may run on the same loop.
//
// A step that is not done yet is tried again each time something comes, until its deadline.
class TranscriptRun {
 public:
  using Done = std::function<void(std::optional<Failure>, std::optional<std::string> updated)>;

  // The transcript must outlive this object. `done` is called once, after all children have ended
  // too; it must not destroy this object.
  TranscriptRun(Loop& loop, const Transcript& transcript, std::filesystem::path folder, bool update,
                Done done);
  ~TranscriptRun() { kill_timer_.cancel(); }

  void start();

 private:
  enum class Progress { done, waiting };
  // ending: the last step is done, or has failed, and children have to end.
  enum class State { running, ending, ended };

  // How a step differs from what was expected, and the edit that makes the transcript agree.
  struct Mismatch {
    std::string expected;
    std::string came;
    enum class Mend { none, replace, remove, insert } mend = Mend::none;
    std::string text = {};
    std::vector<std::string> diff = {};
    std::optional<std::size_t> step = {};  // nullopt: the current one
  };
  using Outcome = std::variant<Progress, Mismatch>;

  void advance();
  void run_steps();
  Outcome try_step(const Step& step);
  Outcome fork(const Step& step);
  Outcome send(const Step& step);
  Outcome receive(const Step& step);
  Outcome receive_any_order(const Step& step);
  Outcome expect_disconnect(const Step& step);
  Outcome expect_stdout(const Step& step);
  Outcome expect_reply(const Step& step);
  Outcome quiet(const Step& step);
  Outcome exit(const Step& step);
  Outcome missing(const Step& step) const;

  std::string expected_text(const Step& step) const;
  std::vector<std::string> difference(const Step& step, const nlohmann::json& value) const;
  Mismatch mismatch(const Step& step, const Arrival& arrival) const;
  Mismatch unexpected(const Step& step, ScriptChild& child);
  Mismatch wrong_reply(const Step& step, ScriptChild& child);
  Mismatch no_place(const std::string& came) const;
  void end_group(const Step& step);
  bool mend(Mismatch& mismatch);
  void next_step(std::size_t steps);
  void fail(const Mismatch& mismatch);
  std::span<const Step> group_steps() const;
  Arrival take(ScriptChild& child);
  void remember(const ScriptChild& child, const std::string& text);

  void on_time_up();
  void end();
  void kill_children();
  void report_end();

  Loop& loop_;
  const Transcript& transcript_;
  std::filesystem::path folder_;
  std::optional<TranscriptUpdate> update_;  // with --update
  Done done_;

  State state_ = State::running;
  std::map<std::string, std::unique_ptr<ScriptChild>> children_;
  Captures captures_;
  std::size_t next_ = 0;  // the current step
  Deadlines deadlines_;
  std::optional<MessageGroup> group_;
  std::deque<std::string> last_messages_;
  std::optional<Failure> failure_;
  Timer kill_timer_;
};

}  // namespace tine::command
