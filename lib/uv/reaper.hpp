#pragma once

#include <mutex>
#include <vector>

namespace tine::uv {

// Waits for programs that outlive their loop. One thread, which ends with the last of them.
//
// It looks for them now and then, by their pids: to hold a descriptor for each would be to leak it, in
// the eyes of a program that has closed its loop.
class Reaper {
 public:
  // Never destroyed: the thread may outlive main.
  static Reaper& instance();

  void take(int pid);

 private:
  void run();
  bool look();

  std::mutex mutex_;
  std::vector<int> pids_;
  bool running_ = false;
};

}  // namespace tine::uv
