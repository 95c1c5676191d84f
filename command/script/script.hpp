#pragma once

#include <map>
#include <string>
#include <vector>

namespace tine::command {

struct ScriptOptions {
  std::vector<std::string> files;
  std::map<std::string, std::string> variables;  // these override the environment
  std::string format = "people";                 // or "tap", "junit"
  std::string output;                            // empty: stdout
  std::string color = "auto";
  bool update = false;
  std::size_t jobs = 1;
};

// `tine script`: runs transcripts as tests. Returns the exit status.
int script(const ScriptOptions& options);

}  // namespace tine::command
