#include "uv/connector.hpp"

#include <cerrno>
#include <utility>

#include "base/sockets.hpp"

namespace tine::uv {

Connector::Connector(LoopCore& core, base::Descriptor socket, std::function<void(int error)> done)
    : core_(core), done_(std::move(done)), socket_(std::move(socket)) {}

// A socket that is connected at once becomes writable on the next turn, like one that takes its
// time. So does one whose call was interrupted: connecting goes on.
int Connector::connect(const sockaddr* address, socklen_t size) {
  const int result = ::connect(socket_.get(), address, size);
  if (result < 0 && errno != EINPROGRESS && errno != EINTR) return errno;
  poll_.emplace(core_, socket_.get(), [this] { look(); });
  poll_->want(false, true);
  return 0;
}

void Connector::look() {
  if (core_.halted()) return;
  const std::optional<int> error = base::socket_option(socket_.get(), SOL_SOCKET, SO_ERROR);
  poll_->want(false, false);
  const auto done = std::move(done_);
  done(error.value_or(EBADF));
}

void Connector::set_ref(bool ref) {
  if (poll_) poll_->set_ref(ref);
}

base::Descriptor Connector::take() noexcept {
  poll_.reset();
  return std::move(socket_);
}

}  // namespace tine::uv
