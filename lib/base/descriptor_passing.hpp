#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <sys/types.h>
#include <sys/uio.h>

#include "base/descriptor.hpp"

namespace tine::base {

// The most descriptors that Linux allows beside one write.
inline constexpr std::size_t most_descriptors = 253;

// Writes bytes to a Unix domain socket, with at least one descriptor beside the first byte. The
// result is that of sendmsg().
ssize_t send_with_descriptors(int socket, std::span<iovec> parts,
                              std::span<const Descriptor> beside) noexcept;

// Reads bytes from a Unix domain socket, and appends the descriptors that came beside them to
// `came`. It must have the capacity for most_descriptors more: without memory, what came would be
// lost. The result is that of recvmsg().
ssize_t receive_with_descriptors(int socket, std::span<char> room,
                                 std::vector<Descriptor>& came) noexcept;

}  // namespace tine::base
