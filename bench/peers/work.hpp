// The work of each parent, whatever carries its messages: the job that it gets, what it sends and
// when, and the line of figures that it prints. work.js and work.py are the same for their
// languages.
//
// A parent starts its children, greets each and waits for all the answers, so that their start is
// not measured. Then it sends what the job says, at most a window ahead of the answers. After the
// last answer it disconnects and waits for the children to end.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace bench {

using json = nlohmann::json;
using Clock = std::chrono::steady_clock;

// A job, which the runner passes as an argument on the command line.
struct Job {
  // The child's command line: {exec_path, module, args...}, or {module, args...} if exec_path is
  // empty.
  std::string exec_path;
  std::string module;
  std::vector<std::string> args;

  std::size_t children = 1;
  std::optional<int> child_core;  // the core of the children; nullopt: the kernel chooses
  std::size_t ballast = 0;        // bytes of memory to touch before the fork

  enum class Sender { as_is, kept, built };
  Sender sender = Sender::as_is;
  std::vector<json> messages;  // sent one after the other, again and again
  std::size_t payload =
      0;                   // bytes that travel with each message, or instead of it; see payload.hpp
  std::size_t count = 0;   // messages to each child
  std::size_t window = 0;  // messages ahead of the answers; 0: one answer follows all of them
  bool timed = false;      // answers are {"sent_us": when the child sent them}

  static Job from_arguments(int argc, char** argv);

  std::vector<std::string> command() const;
};

// The next step of a parent after an answer.
enum class Next {
  wait,         // not all children have answered the greeting
  send,         // send_next() to this child
  send_to_all,  // send_next() to all of them: the clock has just been started
  end,          // disconnect all of them
};

class Work {
 public:
  explicit Work(Job job);

  const Job& job() const { return job_; }

  // Called before and after a child is started.
  void fork_begins();
  void forked(int pid);

  const json& greeting() const { return greeting_; }

  bool may_send(std::size_t child) const {
    const Talk& talk = talks_[child];
    return open_ && talk.sent < job_.count &&
           (job_.window == 0 || talk.sent - talk.answered < job_.window);
  }

  // Passes the next message for a child to `send` and returns what `send` returns.
  template <class Send>
  auto send_next(std::size_t child, Send send) {
    const std::uint64_t number = next_number(child);
    switch (job_.sender) {
      case Job::Sender::built: return send(built(number));
      case Job::Sender::kept: *kept_field_ = number; return send(job_.messages.front());
      case Job::Sender::as_is: break;
    }
    return send(job_.messages[(number - first_number) % job_.messages.size()]);
  }

  // Counts a message that is sent to a child without send_next(), and returns its number.
  std::uint64_t next_number(std::size_t child) {
    if (job_.window == 1) sent_at_ = Clock::now();
    return first_number + talks_[child].sent++;
  }

  Next received(std::size_t child);
  Next received(std::size_t child, const json& answer);

  // Prints the figures. Called when all children have ended.
  void report() const;

 private:
  struct Talk {
    std::size_t sent = 0;
    std::size_t answered = 0;
  };

  // All numbers have the same number of digits, so all messages have the same size.
  static constexpr std::uint64_t first_number = 100'000'000;

  // Makes the message of work.json anew, as a user writes it.
  static json built(std::uint64_t number) {
    return {{"n", number},
            {"type", "update"},
            {"source", "sensor-1"},
            {"value", 21.375},
            {"valid", true}};
  }

  // Returns how many answers are not counted, because parent and child are not warm yet. At most
  // half of them, so that a short run has some left to count.
  static std::size_t unsteady(std::size_t answers) {
    return std::min<std::size_t>(100, answers / 2);
  }

  Next open();
  void answered();

  Job job_;
  json greeting_ = "Hello";
  std::vector<Talk> talks_;
  std::vector<int> pids_;
  std::uint64_t* kept_field_ = nullptr;
  std::vector<char> ballast_;

  bool open_ = false;
  std::size_t greeted_ = 0;
  std::size_t awaited_ = 0;  // answers to come
  std::size_t timed_ = 0;
  Clock::time_point sent_at_;
  // In microseconds: of round trips, if the window is one message, or of timed answers.
  std::vector<float> latencies_;

  Clock::time_point fork_began_;
  double fork_seconds_ = 0;
  Clock::time_point life_began_;
  Clock::time_point began_;
  double seconds_ = 0;
  double idle_child_mb_ = 0;
};

}  // namespace bench
