#include "support/raw_peer.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"

namespace {

constexpr int channel_descriptor = 3;

// The most descriptors that the kernel takes with one write.
constexpr std::size_t most_descriptors = 253;

}  // namespace

// A signal, such as SIGCHLD, may interrupt poll().
void await_event(int fd, short events) {
  pollfd wait{fd, events, 0};
  int ready = -1;
  do {
    ready = poll(&wait, 1, static_cast<int>(std::chrono::milliseconds(deadline).count()));
  } while (ready < 0 && errno == EINTR);
  REQUIRE(ready == 1);
}

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

void RawPeer::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    await_event(fd_, POLLOUT);
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    REQUIRE((n > 0 || errno == EAGAIN));
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void RawPeer::write_with_descriptors(std::string_view bytes, const std::vector<int>& descriptors) {
  const std::size_t size = descriptors.size() * sizeof(int);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(header), descriptors.data(), size);
  REQUIRE(sendmsg(fd_, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

ssize_t RawPeer::receive(char* to, std::size_t most, int flags) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
  iovec part{to, most};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t n = recvmsg(fd_, &message, flags | MSG_CMSG_CLOEXEC);
  if (n <= 0) return n;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    const std::size_t before = came_.size();
    came_.resize(before + (header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(came_.data() + before, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
  }
  return n;
}

void RawPeer::close_descriptors() {
  for (const int fd : std::exchange(came_, {})) ::close(fd);
}

std::string RawPeer::read_available() {
  std::string all;
  std::array<char, 65536> piece;
  for (;;) {
    const ssize_t n = receive(piece.data(), piece.size(), MSG_DONTWAIT);
    if (n <= 0) return all;
    all.append(piece.data(), static_cast<std::size_t>(n));
  }
}

std::string RawPeer::read_some(std::size_t most) {
  std::string some(most, '\0');
  const ssize_t n = receive(some.data(), some.size(), MSG_DONTWAIT);
  some.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return some;
}

void RawPeer::expect(std::string_view bytes) {
  std::string seen;
  while (seen.size() < bytes.size()) {
    await_event(fd_, POLLIN);
    const std::string piece = read_some(bytes.size() - seen.size());
    if (piece.empty()) break;
    seen += piece;
  }
  REQUIRE(seen == bytes);
}

std::string RawPeer::read_until(std::string_view text) {
  std::string all;
  while (all.find(text) == all.npos) {
    await_event(fd_, POLLIN);
    const std::string piece = read_some(65536);
    if (piece.empty()) break;
    all += piece;
  }
  return all;
}

std::string RawPeer::read_to_end() {
  std::string all;
  std::array<char, 65536> piece;
  for (;;) {
    await_event(fd_, POLLIN);
    const ssize_t n = receive(piece.data(), piece.size(), 0);
    if (n <= 0) return all;
    all.append(piece.data(), static_cast<std::size_t>(n));
  }
}

bool RawPeer::at_end() {
  char byte = 0;
  const ssize_t n = recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  return n == 0 || (n < 0 && errno == ECONNRESET);
}

void RawPeer::await_taken() {
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  while (!all_taken()) {
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    sched_yield();
  }
}

bool RawPeer::all_taken() {
  int unread = 0;
  REQUIRE(ioctl(fd_, TIOCOUTQ, &unread) == 0);
  return unread == 0;
}

void RawPeer::half_close() { shutdown(fd_, SHUT_WR); }
void RawPeer::refuse_reading() { shutdown(fd_, SHUT_RD); }

void RawPeer::close() {
  close_descriptors();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

RawParent::RawParent(const std::string& program, const std::vector<std::string>& args,
                     const std::vector<std::string>& before, const std::vector<std::string>& after)
    : channel_(other_) {
  const std::string path = test_program(program).string();
  std::vector<char*> arguments{const_cast<char*>(path.c_str())};
  for (const std::string& each : args) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  const std::string name = "NODE_CHANNEL_FD=" + std::to_string(channel_descriptor);
  std::vector<char*> environment;
  for (const std::string& each : before) environment.push_back(const_cast<char*>(each.c_str()));
  environment.push_back(const_cast<char*>(name.c_str()));
  for (const std::string& each : after) environment.push_back(const_cast<char*>(each.c_str()));
  for (char** each = environ; *each != nullptr; ++each) environment.push_back(*each);
  environment.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, other_, channel_descriptor);
  const int error =
      posix_spawn(&pid_, path.c_str(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(other_);
  REQUIRE(error == 0);
}

RawParent::~RawParent() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void RawParent::kill(int signal) { ::kill(pid_, signal); }

void RawParent::stop() {
  kill(SIGSTOP);
  int status = 0;
  REQUIRE(waitpid(pid_, &status, WUNTRACED) == pid_);
  REQUIRE(WIFSTOPPED(status));
}

int RawParent::wait() { return await_exit(std::exchange(pid_, -1)); }

int await_exit(int pid) {
  const auto watch = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  REQUIRE(watch >= 0);
  const tine::base::Descriptor closed_at_the_end(watch);
  await_event(watch, POLLIN);
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
