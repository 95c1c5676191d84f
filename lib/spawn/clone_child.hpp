#pragma once

#include <cstdint>

#include <sys/types.h>

namespace tine::spawn {

struct ChildLimit {
  int resource;
  struct {
    std::uint64_t soft;
    std::uint64_t hard;
  } values;
};

// How far a child has come. This is in memory that the child shares with the parent, even if the
// child has a copy of everything else.
struct ChildProgress {
  const char* step = "clone";  // null: the program runs; else the child does not count as started
  int error = 0;               // errno of that step; 0 if the child ended for another reason
};

// What a child does between clone() and exec, with everything that it needs for this.
//
// The child has the parent's memory or a copy of it, so it finds here what the parent has prepared.
// This is plain data: the child can neither allocate nor throw, and its source file includes
// nothing that is compiled in other files too.
struct ChildPlan {
  int* stdio = nullptr;  // slot i becomes descriptor i; the child moves them
  int stdio_count = 0;
  const char* cwd = nullptr;

  bool new_session = false;
  bool new_group = false;
  const ChildLimit* limits = nullptr;
  int limit_count = 0;
  const int* nice = nullptr;
  const uid_t* uid = nullptr;
  const gid_t* gid = nullptr;
  bool ids_are_ours = false;  // uid and gid, if given, are those that the parent runs as
  pid_t parent = 0;
  int parent_pidfd = -1;        // -1: not known
  int parent_death_signal = 0;  // 0: none

  // The paths to try for the program, ended by null, and its arguments and environment. A script
  // without an interpreter line is run by the shell, with the script's path as the second of
  // `shell_args`.
  const char* const* candidates = nullptr;
  char* const* args = nullptr;
  char* const* env = nullptr;
  const char** shell_args = nullptr;

  ChildProgress* progress = nullptr;
};

// The function for clone(): carries out a ChildPlan, and ends in the program or in exit.
int run_child(void* plan);

}  // namespace tine::spawn
