#pragma once

#include <optional>

#include <sys/socket.h>

#include "uv/descriptor.hpp"

namespace tine::uv {

// System calls about sockets, in the one form that tine wants of them: each descriptor is
// non-blocking and closed on exec. -1 and errno when they fail.
Descriptor make_socket(int family, int type);
Descriptor accept_connection(int listener);
Descriptor duplicate(int fd);

// The same for one that came from elsewhere: 0, or an errno.
int prepare(int fd);

// A number of getsockopt(); none if the descriptor has no such.
std::optional<int> socket_option(int fd, int level, int name);
// 0, or an errno.
int set_socket_option(int fd, int level, int name, int value);

}  // namespace tine::uv
