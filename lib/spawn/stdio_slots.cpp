#include "spawn/stdio_slots.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>

#include "spawn/subprocess.hpp"

namespace tine::spawn {

StdioSlots::StdioSlots(const std::vector<int>& stdio) : slots_(stdio) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const int same = static_cast<int>(i);
    int& fd = slots_[i];
    if (fd == SubprocessOptions::inherited && fcntl(same, F_GETFD) >= 0) fd = same;
  }
  if (std::none_of(slots_.begin(), slots_.end(), [](int fd) { return fd < 0; })) return;
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) throw SpawnError(errno, "stdio");
  null_.emplace(null);
  for (int& fd : slots_) fd = fd < 0 ? null : fd;
}

}  // namespace tine::spawn
