#include "process/process_tree.hpp"

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

#include "uv/descriptor.hpp"

namespace tine::process {

namespace {

// How long a program may take to stop: one in an uninterruptible wait does not.
constexpr auto patience = std::chrono::milliseconds(100);

struct Status {
  int parent = 0;
  char state = '?';

  bool runs() const { return state != 'T' && state != 't' && !ended(); }
  bool ended() const { return state == 'Z' || state == 'X'; }
};

// From /proc/PID/stat: "PID (NAME) STATE PARENT …", where the name may have anything in it.
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

// By a descriptor where one is to be had: the pid may be somebody else's after a look at it.
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
  uv::Descriptor fd_;
};

// A program and its descendants, stopped. They go on when this goes.
class StoppedTree {
 public:
  explicit StoppedTree(uv::Subprocess& root) : root_(root) {}
  StoppedTree(const StoppedTree&) = delete;
  StoppedTree& operator=(const StoppedTree&) = delete;
  ~StoppedTree() {
    if (stopped_) send(SIGCONT);
  }

  // False: the root is not there.
  bool stop() {
    using Clock = std::chrono::steady_clock;
    stopped_ = root_.kill(SIGSTOP);
    bool more = stopped_;
    for (const auto end = Clock::now() + patience; more && Clock::now() < end; sched_yield()) {
      const bool one_runs = any_runs();  // before the look: it may start another
      more = find_more() || one_runs;
    }
    return stopped_;
  }

  void leave_stopped() { stopped_ = false; }

  // The root last: when its end is told, all have been sent it.
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

  // Whether there were some.
  bool find_more() {
    bool found = false;
    for (const int pid : all_pids()) {
      if (!is_new(pid)) continue;
      Descendant descendant(pid);
      if (!is_new(pid)) continue;  // it has ended, and the descriptor may be of another
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

  uv::Subprocess& root_;
  std::vector<Descendant> descendants_;
  bool stopped_ = false;
};

}  // namespace

// What is stopped takes a signal when it goes on, but for those that it cannot refuse.
bool kill_descendants(uv::Subprocess& root, int signal) {
  StoppedTree tree(root);
  if (!tree.stop()) return false;
  if (signal == SIGSTOP) tree.leave_stopped();
  return tree.send(signal);
}

}  // namespace tine::process
