#include "tine/executable_dir.hpp"

#ifdef __APPLE__
#include <array>
#include <system_error>

#include <mach-o/dyld.h>
#endif

namespace tine {

#ifdef __APPLE__
std::filesystem::path executable_dir() {
  std::array<char, 4096> path{};
  auto size = static_cast<std::uint32_t>(path.size());
  if (_NSGetExecutablePath(path.data(), &size) != 0) {
    throw std::filesystem::filesystem_error("the path of the program cannot be told",
                                            std::make_error_code(std::errc::filename_too_long));
  }
  return std::filesystem::canonical(path.data()).parent_path();
}
#else
std::filesystem::path executable_dir() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}
#endif

}  // namespace tine
