#pragma once

#include <string>

namespace tine::command {

struct SuperviseOptions {
  std::string file;
  bool check = false;  // only reads the file
};

// `tine supervise`: keeps the children of a file running. Returns the exit status.
int supervise(const SuperviseOptions& options);

}  // namespace tine::command
