#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "command/script/any_order.hpp"
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
  ~TranscriptRun();

  void start();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Progress { done, waiting };

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
  Outcome quiet(const Step& step);
  Outcome exit(const Step& step);
  Outcome missing(const Step& step) const;

  Mismatch mismatch(const Step& step, const Arrival& arrival) const;
  Mismatch unexpected(const Step& step, const Arrival& arrival) const;
  Mismatch no_place(const std::string& came) const;
  void end_group(const Step& step);
  bool mend(Mismatch& mismatch);
  void next_step(std::size_t steps);
  void fail(const Mismatch& mismatch);
  std::size_t group_size() const;
  Arrival take(ScriptChild& child);
  void remember(const ScriptChild& child, const char* direction, const std::string& text);

  void wait_until(Clock::time_point time);
  void on_time();
  void end();
  void tell_end();

  Loop& loop_;
  const Transcript& transcript_;
  std::filesystem::path folder_;
  bool updating_;
  TranscriptUpdate update_;
  Done done_;

  std::map<std::string, std::unique_ptr<ScriptChild>> children_;
  Captures captures_;
  std::size_t next_ = 0;  // the current step
  bool entered_ = false;  // it was tried before
  bool late_ = false;     // its deadline has passed
  Clock::time_point step_deadline_;
  std::optional<Clock::time_point> deadline_;
  Clock::time_point quiet_until_;
  std::optional<AnyOrder> group_;
  std::vector<Arrival> group_arrivals_;  // those that have a place
  std::vector<Arrival> group_extras_;
  std::deque<std::string> last_messages_;
  std::optional<Failure> failure_;
  bool ending_ = false;
  bool told_ = false;
  Timer timer_;
  std::optional<Clock::time_point> timer_due_;
};

}  // namespace tine::command
