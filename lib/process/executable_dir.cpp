#include "tine/executable_dir.hpp"

#include <fstream>
#include <system_error>

#include "process/program.hpp"

#ifdef __APPLE__
#include <array>

#include <crt_externs.h>
#include <mach-o/dyld.h>
#endif

namespace tine {

namespace process {

#ifdef __APPLE__
std::filesystem::path program_path() {
  std::array<char, 4096> path{};
  auto size = static_cast<std::uint32_t>(path.size());
  if (_NSGetExecutablePath(path.data(), &size) != 0) {
    throw std::filesystem::filesystem_error("the path of the program cannot be told",
                                            std::make_error_code(std::errc::filename_too_long));
  }
  return std::filesystem::canonical(path.data());
}

std::vector<std::string> program_args() {
  char** const arguments = *_NSGetArgv();
  return {arguments + 1, arguments + *_NSGetArgc()};
}
#else
std::filesystem::path program_path() { return std::filesystem::read_symlink("/proc/self/exe"); }

std::vector<std::string> program_args() {
  std::ifstream all("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  std::string argument;
  std::getline(all, argument, '\0');
  while (std::getline(all, argument, '\0')) arguments.push_back(argument);
  return arguments;
}
#endif

}  // namespace process

std::filesystem::path executable_dir() { return process::program_path().parent_path(); }

}  // namespace tine
