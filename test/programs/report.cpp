// Sends the state in which it was started: arguments, directory, variables, signals, descriptors.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <dirent.h>

#include <tine/tine.hpp>

namespace {

nlohmann::json signal_masks() {
  nlohmann::json masks;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    for (const std::string name : {"SigBlk", "SigIgn"}) {
      if (line.starts_with(name + ":")) masks[name] = line.substr(name.size() + 2);
    }
  }
  return masks;
}

nlohmann::json variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? nlohmann::json(value) : nlohmann::json();
}

// Returns the open descriptors. Must be called before this program opens its own.
nlohmann::json descriptors() {
  nlohmann::json all = nlohmann::json::array();
  DIR* const directory = opendir("/proc/self/fd");
  while (const dirent* const entry = readdir(directory)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != dirfd(directory)) all.push_back(fd);
  }
  closedir(directory);
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  nlohmann::json report;
  report["descriptors"] = descriptors();
  report["args"] = std::vector<std::string>(argv, argv + argc);
  report["cwd"] = std::filesystem::current_path();
  report["signals"] = signal_masks();

  tine::Loop loop;
  tine::Process process(loop);
  for (const char* const name : {"NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE",
                                 "NODE_UNIQUE_ID", "ADDED", "REMOVED", "INHERITED"}) {
    report["env"][name] = variable(name);
  }
  process.send(report);
  loop.run();
}
