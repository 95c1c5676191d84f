#include "uv/listener.hpp"

#include <cerrno>
#include <chrono>
#include <utility>

#include <fcntl.h>

#include "base/sockets.hpp"

namespace tine::uv {

namespace {

// The most connections accepted in a turn, so that a flood of them leaves the loop its other work.
constexpr int most_a_turn = 16;

// How long to wait if the kernel has no memory or no descriptor for a connection.
constexpr auto rest_time = std::chrono::milliseconds(100);

// Returns whether an error concerns only one connection, which is gone. accept(2) lists these
// errors.
bool of_connection(int error) {
  switch (error) {
    case ECONNABORTED:
    case ECONNRESET:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ETIMEDOUT: return true;
    default: return false;
  }
}

}  // namespace

Listener::Listener(LoopCore& core, base::Descriptor descriptor, User& user)
    : core_(core), user_(user), descriptor_(std::move(descriptor)) {
  take_spare();
  poll_.emplace(core, fd(), [this] { accept_some(); });
  poll_->want(true, false);
}

void Listener::set_ref(bool ref) {
  ref_ = ref;
  if (poll_) poll_->set_ref(ref);
  if (look_again_) look_again_->set_ref(ref);
}

base::Descriptor Listener::close() noexcept {
  poll_.reset();
  look_again_.reset();
  spare_.reset();
  base::Descriptor descriptor = std::move(*descriptor_);
  descriptor_.reset();
  return descriptor;
}

// If on_connection() throws, the other connections are still there when the loop goes on.
void Listener::accept_some() {
  const auto keep = shared_from_this();
  for (int n = 0; n < most_a_turn && !core_.halted() && descriptor_; ++n) {
    if (!accept_one()) return;
  }
}

// Returns whether there may be more connections.
bool Listener::accept_one() {
  base::Descriptor connection = base::accept_connection(fd());
  if (connection.get() < 0) return failed(errno);
  user_.on_connection(std::move(connection));
  return true;
}

bool Listener::failed(int error) {
  if (error == EAGAIN || error == EWOULDBLOCK) return false;
  if (of_connection(error)) return true;
  if ((error == EMFILE || error == ENFILE) && give_up_spare()) return true;
  if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
    rest();
  } else {
    poll_->want(false, false);
    user_.on_broken(error);
  }
  return false;
}

// Returns false if there is no spare descriptor, or if somebody else was faster to take its place.
bool Listener::give_up_spare() {
  if (!spare_) return false;
  spare_.reset();
  if (base::Descriptor connection = base::accept_connection(fd()); connection.get() >= 0) {
    user_.on_no_descriptor(std::move(connection));
  }
  take_spare();
  return spare_.has_value();
}

void Listener::take_spare() noexcept {
  base::Descriptor spare(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (spare.get() >= 0) spare_.emplace(std::move(spare));
}

void Listener::rest() {
  poll_->want(false, false);
  look_again_.emplace(core_, [this] {
    if (!spare_) take_spare();
    poll_->want(true, false);
  });
  look_again_->set_ref(ref_);
  look_again_->start(rest_time);
}

}  // namespace tine::uv
