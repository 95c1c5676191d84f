// A child of the soak, which its parent watches from fork to "close".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <tine/tine.hpp>

#include "soak/actor.hpp"
#include "soak/ledger.hpp"
#include "soak/plan.hpp"

// The place of a child's account.
struct Slot {
  int ledger_fd;
  std::size_t number;
  Account& account;
  bool node;  // whether the children in this slot run in Node
};

class WatchedChild {
 public:
  // Calls `over` when nothing more can come from the child. `over` may destroy this object.
  WatchedChild(tine::Loop& loop, const Slot& slot, const Life& life, int lost,
               std::function<void()> over);
  WatchedChild(const WatchedChild&) = delete;
  WatchedChild& operator=(const WatchedChild&) = delete;
  ~WatchedChild();

  // Returns one sentence for each failure.
  std::vector<std::string> complaints() const;
  // Describes the child and its accounts, to help to find the cause of a failure.
  std::string description() const;
  const Account& mine() const { return mine_; }

 private:
  tine::ForkOptions fork_options() const;
  void end();
  void collect();
  void compare(std::vector<std::string>& found) const;
  tine::ExitStatus expected_status() const;

  tine::Loop& loop_;
  Slot slot_;
  Life life_;
  std::function<void()> over_;
  Account mine_{};
  std::string events_;
  tine::ChildProcess child_;
  Actor<tine::ChildProcess> actor_;
};
