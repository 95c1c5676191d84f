#include "net/connecting.hpp"

#include <cerrno>
#include <utility>

#include "base/sockets.hpp"
#include "base/system_code.hpp"
#include "net/resolve.hpp"
#include "tine/error.hpp"

namespace tine::net {

void Connecting::connect(std::deque<SocketAddress> addresses) noexcept {
  addresses_ = std::move(addresses);
  try_next();
}

void Connecting::connect(const std::string& host, std::uint16_t port) {
  lookup_ = resolve(core_, host, AF_UNSPEC, port,
                    [this](std::error_code error, std::deque<SocketAddress> found) {
                      lookup_.reset();
                      error ? finish(error) : connect(std::move(found));
                    });
}

void Connecting::set_ref(bool ref) {
  ref_ = ref;
  if (connector_) connector_->set_ref(ref);
}

void Connecting::try_next() noexcept {
  std::error_code error;
  do {
    const SocketAddress address = addresses_.front();
    addresses_.pop_front();
    error = try_address(address);
  } while (error && !addresses_.empty());
  if (error) finish(error);
}

// Returns an error if it is noticed at once.
std::error_code Connecting::try_address(const SocketAddress& address) noexcept {
  base::Descriptor socket = base::make_socket(address.family(), SOCK_STREAM);
  if (socket.get() < 0) return base::system_code(errno);
  try {
    connector_ = std::make_unique<uv::Connector>(core_, std::move(socket),
                                                 [this](int error) { tried(error); });
    const int error = connector_->connect(address.get(), address.size);
    connector_->set_ref(ref_);
    return base::system_code(error);
  } catch (const Error& error) {
    return error.code();
  }
}

// The connector has called this, so it lives until the end.
void Connecting::tried(int error) {
  const auto connector = std::move(connector_);
  if (error != 0 && !addresses_.empty()) return try_next();
  if (error != 0) return finish(base::system_code(error));
  finish({}, connector->take());
}

void Connecting::finish(std::error_code error, base::Descriptor socket) {
  const auto done = std::move(done_);
  done(error, std::move(socket));
}

}  // namespace tine::net
