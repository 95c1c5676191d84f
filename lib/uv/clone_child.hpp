#pragma once

#include <cstdint>

#include <sys/types.h>

namespace tine::uv {

struct ChildLimit {
  int resource;
  struct {
    std::uint64_t soft;
    std::uint64_t hard;
  } values;
};

// How far a child has come. It is in memory that the child shares with the parent, even where the child
// has a copy of everything else.
struct ChildProgress {
  const char* step = "clone";  // null: the program runs. Else the child is not to be called started
  int error = 0;               // of that step; 0 if the child has ended there for another reason
};

// What a child has to do between clone() and exec, with all that it needs for it.
//
// The child has the parent's memory or a copy of it, so here it finds what the parent has prepared. Plain
// data: the child can neither allocate nor throw, and its file includes nothing that is compiled in other
// files too.
struct ChildPlan {
  int* stdio = nullptr;  // slot i is to become descriptor i; the child moves them
  int stdio_count = 0;
  const char* cwd = nullptr;

  bool new_session = false;
  bool new_group = false;
  const ChildLimit* limits = nullptr;
  int limit_count = 0;
  const int* nice = nullptr;
  const uid_t* uid = nullptr;
  const gid_t* gid = nullptr;
  bool ids_are_ours =
      false;  // uid and gid, as far as they are given, are those that the parent runs as
  pid_t parent = 0;
  int parent_pidfd = -1;        // or -1: not known
  int parent_death_signal = 0;  // or 0

  // Where the program may be, ended by null, and what it is started with. If it is a script without an
  // interpreter, the shell is, with its path as the second of `shell_args`.
  const char* const* candidates = nullptr;
  char* const* args = nullptr;
  char* const* env = nullptr;
  const char** shell_args = nullptr;

  ChildProgress* progress = nullptr;
};

// The function of clone(): does what a ChildPlan says, and ends in the program or in exit.
int run_child(void* plan);

}  // namespace tine::uv
