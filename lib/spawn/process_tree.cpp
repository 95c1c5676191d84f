#include "spawn/process_tree.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dirent.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/descriptor.hpp"

namespace tine::spawn {

namespace {

// How long stopping may take in all: a program in an uninterruptible wait does not stop.
constexpr auto patience = std::chrono::milliseconds(100);

struct Status {
  int parent = 0;
  char state = '?';

  bool runs() const { return state != 'T' && state != 't' && !ended(); }
  bool ended() const { return state == 'Z' || state == 'X'; }
};

// Reads /proc/PID/stat: "PID (NAME) STATE PARENT …", where the name may contain anything.
std::optional<Status> status_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const std::size_t name_end = line.rfind(") ");
  if (name_end == line.npos || name_end + 4 >= line.size()) return std::nullopt;
  Status status;
  status.state = line[name_end + 2];
  std::from_chars(line.data() + name_end + 4, line.data() + line.size(), status.parent);
  return status;
}

std::vector<int> all_pids() {
  std::vector<int> pids;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc"), closedir);
  while (const dirent* const entry = directory ? readdir(directory.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    int pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
  }
  return pids;
}

// A descendant. It is signalled by pidfd if possible: its pid may be reused after it was looked up.
class Descendant {
 public:
  explicit Descendant(int pid) : pid_(pid), fd_(open(pid)) {}

  int pid() const { return pid_; }
  void kill(int signal) const {
#ifdef SYS_pidfd_send_signal
    if (fd_.get() >= 0) {
      syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0);
      return;
    }
#endif
    ::kill(pid_, signal);
  }

 private:
  static int open([[maybe_unused]] int pid) {
#ifdef SYS_pidfd_open
    return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
#else
    return -1;
#endif
  }

  int pid_;
  base::Descriptor fd_;
};

// A program and its descendants, stopped. The destructor continues them.
class StoppedTree {
 public:
  explicit StoppedTree(Subprocess& root) : root_(root) {}
  StoppedTree(const StoppedTree&) = delete;
  StoppedTree& operator=(const StoppedTree&) = delete;
  ~StoppedTree() {
    if (stopped_) send(SIGCONT);
  }

  // Returns false if the root is gone.
  bool stop() {
    using Clock = std::chrono::steady_clock;
    stopped_ = root_.kill(SIGSTOP);
    bool more = stopped_;
    for (const auto end = Clock::now() + patience; more && Clock::now() < end; sched_yield()) {
      const bool one_runs = any_runs();  // before the search: it may start another
      more = find_more() || one_runs;
    }
    return stopped_;
  }

  void leave_stopped() { stopped_ = false; }

  // Signals the root last: when its end is reported, all others have been signalled.
  bool send(int signal) {
    for (const Descendant& descendant : descendants_) descendant.kill(signal);
    return root_.kill(signal);
  }

 private:
  bool has(int pid) const {
    return pid == root_.pid() ||
           std::any_of(descendants_.begin(), descendants_.end(),
                       [pid](const Descendant& descendant) { return descendant.pid() == pid; });
  }

  bool is_new(int pid) const {
    const auto status = status_of(pid);
    return status && !status->ended() && has(status->parent) && !has(pid);
  }

  // Finds and stops new descendants. Returns whether there were any.
  bool find_more() {
    bool found = false;
    for (const int pid : all_pids()) {
      if (!is_new(pid)) continue;
      Descendant descendant(pid);
      if (!is_new(pid)) continue;  // ended meanwhile, so the descriptor may be of another
      descendants_.push_back(std::move(descendant));
      descendants_.back().kill(SIGSTOP);
      found = true;
    }
    return found;
  }

  static bool runs(int pid) {
    const auto status = status_of(pid);
    return status && status->runs();
  }

  bool any_runs() const {
    return runs(root_.pid()) || std::any_of(descendants_.begin(), descendants_.end(),
                                            [](const auto& each) { return runs(each.pid()); });
  }

  Subprocess& root_;
  std::vector<Descendant> descendants_;
  bool stopped_ = false;
};

}  // namespace

// A stopped process takes a signal when it continues, except those that it cannot refuse.
bool kill_descendants(Subprocess& root, int signal) {
  StoppedTree tree(root);
  if (!tree.stop()) return false;
  if (signal == SIGSTOP) tree.leave_stopped();
  return tree.send(signal);
}

}  // namespace tine::spawn
