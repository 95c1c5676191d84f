#pragma once

#include <optional>

#include <sys/socket.h>

#include "base/descriptor.hpp"

namespace tine::base {

// Wrappers of system calls. The descriptors that they return are close-on-exec and non-blocking; a
// duplicate shares the blocking mode of `fd`. On failure they are -1, and errno is set.
Descriptor make_socket(int family, int type);
Descriptor accept_connection(int listener);
Descriptor duplicate(int fd);

// Makes a descriptor from elsewhere close-on-exec and non-blocking. Returns 0 or an errno.
int prepare(int fd);

// Returns a number from getsockopt(), or nullopt if the descriptor has no such option.
std::optional<int> socket_option(int fd, int level, int name);
// Returns 0 or an errno.
int set_socket_option(int fd, int level, int name, int value);

}  // namespace tine::base
