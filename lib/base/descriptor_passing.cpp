#include "base/descriptor_passing.hpp"

#include <array>
#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>

namespace tine::base {

namespace {

// A buffer for the control data that is sent or received beside bytes.
struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> bytes;
};

ssize_t receive(int socket, msghdr& message) noexcept {
#ifdef MSG_CMSG_CLOEXEC
  return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
#else
  return ::recvmsg(socket, &message, 0);
#endif
}

void take_descriptors(const cmsghdr& header, std::vector<Descriptor>& came) noexcept {
  const std::size_t count = (header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < count; ++i) {
    int received = -1;
    std::memcpy(&received, CMSG_DATA(&header) + i * sizeof(int), sizeof received);
#ifndef MSG_CMSG_CLOEXEC
    fcntl(received, F_SETFD, FD_CLOEXEC);
#endif
    came.emplace_back(received);
  }
}

}  // namespace

ssize_t send_with_descriptors(int socket, std::span<iovec> parts,
                              std::span<const Descriptor> beside) noexcept {
  Control control;
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(beside.size() * sizeof(int));
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(beside.size() * sizeof(int));
  unsigned char* to = CMSG_DATA(header);
  for (const Descriptor& descriptor : beside) {
    const int fd = descriptor.get();
    std::memcpy(to, &fd, sizeof fd);
    to += sizeof fd;
  }
  return ::sendmsg(socket, &message, 0);
}

ssize_t receive_with_descriptors(int socket, std::span<char> room,
                                 std::vector<Descriptor>& came) noexcept {
  Control control;
  iovec part{room.data(), room.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  const ssize_t n = receive(socket, message);
  if (n <= 0 || message.msg_controllen == 0) return n;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    take_descriptors(*header, came);
  }
  return n;
}

}  // namespace tine::base
