#pragma once

#include <mutex>
#include <vector>

namespace tine::spawn {

// A thread that waits for programs that outlive their loop. It ends with the last of them.
//
// It looks for them now and then, by their pids. A descriptor for each would look like a leak to a
// program that has closed its loop.
class Reaper {
 public:
  // Returns the one reaper. It is never destroyed, because the thread may outlive main().
  static Reaper& instance();

  void take(int pid);

 private:
  void run();
  bool look();

  std::mutex mutex_;
  std::vector<int> pids_;
  bool running_ = false;
};

}  // namespace tine::spawn
