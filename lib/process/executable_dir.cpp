#include "tine/executable_dir.hpp"

#include <fstream>
#include <string_view>
#include <system_error>

#include "process/program.hpp"

#ifdef __APPLE__
#include <array>

#include <crt_externs.h>
#include <mach-o/dyld.h>
#endif

namespace tine {

namespace process {

namespace {

#ifdef __APPLE__
std::filesystem::path look_up_program() {
  std::array<char, 4096> path{};
  auto size = static_cast<std::uint32_t>(path.size());
  if (_NSGetExecutablePath(path.data(), &size) != 0) {
    throw std::filesystem::filesystem_error("the path of the program is not known",
                                            std::make_error_code(std::errc::filename_too_long));
  }
  return std::filesystem::canonical(path.data());
}
#else
// The system appends a word to the path of a deleted file.
std::filesystem::path look_up_program() {
  constexpr std::string_view gone = " (deleted)";
  std::string path = std::filesystem::read_symlink("/proc/self/exe");
  std::error_code unused;
  if (path.ends_with(gone) && !std::filesystem::exists(path, unused)) {
    path.resize(path.size() - gone.size());
  }
  return path;
}
#endif

// Returns the path of the program, looked up at start; empty if that failed.
const std::filesystem::path& program_at_start() {
  static const std::filesystem::path path = [] {
    try {
      return look_up_program();
    } catch (const std::filesystem::filesystem_error&) {
      return std::filesystem::path();
    }
  }();
  return path;
}

// Initialized before main, and so before the file can be replaced.
[[maybe_unused]] const std::filesystem::path& looked_up = program_at_start();

}  // namespace

std::filesystem::path program_path() {
  return program_at_start().empty() ? look_up_program() : program_at_start();
}

#ifdef __APPLE__
std::vector<std::string> program_args() {
  char** const arguments = *_NSGetArgv();
  return {arguments + 1, arguments + *_NSGetArgc()};
}
#else
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
