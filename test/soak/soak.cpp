// Usage: soak [--seed N] [--seconds N] [--rounds N] [--lose N]
//
// Runs eight children at a time, for so many seconds or rounds. Parent and children act at random.
// Prints each failure; the exit code is 1 if there was one.
//
// The seed determines the decisions of every child, so the same seed repeats them. How far one side
// gets before the other one ends it still varies. Between two rounds there are no children, and
// everything must be as in the beginning.
//
// --lose N: the parent leaves out message N, and the child must notice that.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>

#include "soak/drift.hpp"
#include "soak/watched_child.hpp"

namespace {

struct Options {
  std::uint32_t seed = std::random_device()();
  std::chrono::seconds time{10};
  std::optional<int> rounds;
  int lost = -1;
};

Options options_from(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const auto value = std::stoul(argv[i + 1]);
    if (name == "--seed") options.seed = static_cast<std::uint32_t>(value);
    if (name == "--seconds") options.time = std::chrono::seconds(value);
    if (name == "--rounds") options.rounds = static_cast<int>(value);
    if (name == "--lose") options.lost = static_cast<int>(value);
  }
  return options;
}

bool has_node() {
  const std::string path = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "";
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    if (std::filesystem::exists(std::filesystem::path(path.substr(begin, end - begin)) / "node")) {
      return true;
    }
    begin = end + 1;
  }
  return false;
}

// Returns the open descriptors and the files that they refer to.
std::map<std::string, std::string> open_descriptors() {
  std::map<std::string, std::string> descriptors;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the directory's own descriptor is listed too
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (!gone && !target.ends_with("/fd")) descriptors.emplace(entry.path().filename(), target);
  }
  return descriptors;
}

class Soak {
 public:
  explicit Soak(const Options& options)
      : options_(options), ledger_(make_ledger(ledger_fd_)), node_(has_node()) {
    tine::fork(loop_, "/bin/true");  // the loop keeps descriptors from now on
    loop_.run();
    descriptors_ = open_descriptors();
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
      decisions_.emplace_back(options.seed / 2 + slot * 7919);
    }
  }

  // Runs all rounds. Returns true if nothing went wrong.
  bool run() {
    std::cout << "soak: seed " << options_.seed << (node_ ? ", with" : ", without") << " Node"
              << std::endl;
    const auto end = Clock::now() + options_.time;
    while (options_.rounds ? rounds_ < *options_.rounds : Clock::now() < end) {
      round();
      check_leftovers();
      if (failures_ > 0) break;
    }
    if (!drift_.within_bounds()) fail("memory grows");
    std::cout << "soak: " << rounds_ << " rounds, " << children_ << " children, " << actions_
              << " actions, " << messages_ << " messages, " << bytes_ / 1'000'000 << " MB; "
              << drift_.text() << "; " << (failures_ == 0 ? "passed" : "FAILED") << std::endl;
    return failures_ == 0;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void round() {
    constexpr std::chrono::seconds far_too_long{120};
    auto timer = loop_.after(far_too_long, [this] { give_up(); });
    timer.unref();
    for (std::size_t slot = 0; slot < slots; ++slot) start(slot, 0);
    loop_.run();
    timer.cancel();
    ++rounds_;
  }

  void start(std::size_t number, int lives) {
    constexpr std::size_t first_node = slots - 2;
    constexpr int lives_a_round = 2;
    if (lives == lives_a_round) return;
    const Slot slot{ledger_fd_, number, ledger_[number], node_ && number >= first_node};
    const Life life(decisions_[number]);
    running_[number] =
        std::make_unique<WatchedChild>(loop_, slot, life, options_.lost, [this, number, lives] {
          finish(number);
          start(number, lives + 1);
        });
  }

  void finish(std::size_t number) {
    const auto child = std::move(running_[number]);
    running_.erase(number);
    for (const std::string& complaint : child->complaints()) {
      fail(complaint + "\n  " + child->description());
    }
    ++children_;
    for (const Account* const account : {&child->mine(), std::as_const(ledger_).data() + number}) {
      actions_ += account->actions;
      messages_ += account->received;
      bytes_ += account->bytes;
    }
  }

  // Checks that a round has left nothing behind.
  void check_leftovers() {
    if (!running_.empty()) fail("the loop has ended before the children");
    if (open_descriptors() != descriptors_) fail("the descriptors are not those of the beginning");
    siginfo_t unused;
    if (waitid(P_ALL, 0, &unused, WEXITED | WNOHANG | WNOWAIT) == 0) fail("a child is left");
    drift_.sample();
  }

  void fail(const std::string& what) {
    ++failures_;
    std::cout << "soak: round " << rounds_ << ": " << what << std::endl;
  }

  // Reports where each child is stuck, and stops the loop.
  void give_up() {
    for (const auto& [number, child] : running_) fail("no end of " + child->description());
    loop_.stop();
  }

  Options options_;
  int ledger_fd_ = -1;
  Ledger& ledger_;
  bool node_;
  tine::Loop loop_;
  std::map<std::string, std::string> descriptors_;
  std::vector<Random> decisions_;
  std::map<std::size_t, std::unique_ptr<WatchedChild>> running_;
  Drift drift_;
  int failures_ = 0;
  int rounds_ = 0;
  int children_ = 0;
  std::uint64_t actions_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) { return Soak(options_from(argc, argv)).run() ? 0 : 1; }
