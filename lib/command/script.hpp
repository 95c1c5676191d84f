#pragma once

#include <map>
#include <string>
#include <vector>

namespace tine::command {

struct ScriptOptions {
  std::vector<std::string> files;
  std::map<std::string, std::string> variables;  // over those of the environment
  std::string format = "people";                 // or tap, junit
  std::string output;                            // empty: stdout
  std::string color = "auto";
  bool update = false;
  std::size_t jobs = 1;
};

// `tine script`: transcripts as tests. The status to exit with.
int script(const ScriptOptions& options);

}  // namespace tine::command
