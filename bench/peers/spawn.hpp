// Starts a child with posix_spawn, for the peers whose library cannot start one.
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>

extern char** environ;

namespace bench {

// Starts a child that has `descriptor` as its descriptor `as`, unless `descriptor` is -1.
inline int spawn(std::vector<std::string> command, int descriptor = -1, int as = 3) {
  std::vector<char*> words;
  for (auto& word : command) words.push_back(word.data());
  words.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (descriptor != -1) posix_spawn_file_actions_adddup2(&actions, descriptor, as);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), command[0]);
  return pid;
}

inline void wait_for(int pid) {
  if (waitpid(pid, nullptr, 0) != pid) throw std::runtime_error("waitpid failed");
}

}  // namespace bench
