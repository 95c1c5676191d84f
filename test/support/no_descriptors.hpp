// Takes all free descriptors, or nearly all, from this process.
#pragma once

#include <cerrno>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>

#include "base/descriptor.hpp"
#include "support/test_loop.hpp"

// Returns the limit at which `count` more descriptors can be opened, in addition to those that are
// open now.
inline rlim_t limit_with_free(int count) {
  int number = 0;
  for (; count >= 0; ++number) count -= ::fcntl(number, F_GETFD) == -1;
  return static_cast<rlim_t>(number - 1);
}

// While this object lives, this process has as many descriptors as its limit allows. It can open a
// descriptor only after it has closed another one.
class NoDescriptors {
 public:
  NoDescriptors() {
    // The first time that UBSan meets a class, it opens a pipe to look at the object. That would fail
    // later.
    static_cast<void>(std::error_code(EMFILE, std::generic_category()).message());
    const int highest = open_descriptors().rbegin()->first;
    for (int fd = 0; fd <= highest;) {
      fd = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
      fillers_.emplace_back(fd);
    }
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{static_cast<rlim_t>(fillers_.back().get()) + 1, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  std::vector<tine::base::Descriptor> fillers_;
  rlimit before_{};
};
