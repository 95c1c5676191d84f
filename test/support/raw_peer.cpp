#include "support/raw_peer.hpp"

#include <array>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

RawPeer::RawPeer(int& other) {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  fd_ = ends[0];
  other = ends[1];
}

void RawPeer::write(std::string_view bytes) { REQUIRE(write_some(bytes) == bytes.size()); }

std::size_t RawPeer::write_some(std::string_view bytes) {
  const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return n < 0 ? 0 : static_cast<std::size_t>(n);
}

void RawPeer::write_with_descriptor(std::string_view bytes, int descriptor) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  REQUIRE(sendmsg(fd_, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

std::string RawPeer::read_available() {
  std::string all;
  std::array<char, 65536> piece;
  for (;;) {
    const ssize_t n = recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
    if (n <= 0) return all;
    all.append(piece.data(), static_cast<std::size_t>(n));
  }
}

std::string RawPeer::read_some(std::size_t most) {
  std::string some(most, '\0');
  const ssize_t n = recv(fd_, some.data(), some.size(), MSG_DONTWAIT);
  some.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return some;
}

std::string RawPeer::read_to_end() {
  std::string all;
  std::array<char, 65536> piece;
  for (;;) {
    pollfd wait{fd_, POLLIN, 0};
    REQUIRE(poll(&wait, 1, static_cast<int>(std::chrono::milliseconds(deadline).count())) == 1);
    const ssize_t n = recv(fd_, piece.data(), piece.size(), 0);
    if (n <= 0) return all;
    all.append(piece.data(), static_cast<std::size_t>(n));
  }
}

bool RawPeer::at_end() {
  char byte = 0;
  const ssize_t n = recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  return n == 0 || (n < 0 && errno == ECONNRESET);
}

void RawPeer::half_close() { shutdown(fd_, SHUT_WR); }
void RawPeer::refuse_reading() { shutdown(fd_, SHUT_RD); }

void RawPeer::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}
