#include "tine/handle.hpp"

#include <stdexcept>
#include <utility>

#include "net/datagram_state.hpp"
#include "net/server_state.hpp"
#include "net/socket_state.hpp"
#include "process/received_handle.hpp"

namespace tine {

class Descriptors::Owned {
 public:
  std::vector<uv::Descriptor> open;
};

Descriptors::Descriptors(std::vector<int> open) : owned_(std::make_shared<Owned>()) {
  owned_->open.reserve(open.size());
  for (const int fd : open) owned_->open.emplace_back(fd);
}

std::size_t Descriptors::size() const { return owned_ ? owned_->open.size() : 0; }

int Descriptors::get(std::size_t index) const {
  if (index >= size()) throw std::out_of_range("there are not as many descriptors");
  return owned_->open[index].get();
}

int Descriptors::release(std::size_t index) {
  if (index >= size()) throw std::out_of_range("there are not as many descriptors");
  return owned_->open[index].release();
}

namespace process {

ReceivedHandle* ReceivedHandle::untouched(const Handle& handle) {
  const auto* const came = std::get_if<Handle::Received>(&handle.handle_);
  return came == nullptr || !(*came)->descriptor_ ? nullptr : came->get();
}

uv::Descriptor ReceivedHandle::take() {
  uv::Descriptor taken = std::move(*descriptor_);
  descriptor_.reset();
  return taken;
}

Server ReceivedHandle::server() {
  if (is(Kind::server)) server_ = net::make_server(*core(), take())->handle();
  return server_;
}

Socket ReceivedHandle::socket() {
  if (!is(Kind::socket)) return socket_;
  const auto state = net::make_socket(*core(), take());
  // If the state is destroyed without "close", the observer and its token are dropped with it.
  state->when_closed([token = std::move(token_)] {});
  socket_ = state->handle();
  return socket_;
}

Datagram ReceivedHandle::datagram() {
  if (is(Kind::datagram)) datagram_ = net::make_datagram(*core(), take())->handle();
  return datagram_;
}

}  // namespace process

namespace {

// Returns the object that is held, or the one that a received handle becomes.
template <class T, class Variant>
T asked_for(const Variant& handle, T (process::ReceivedHandle::*become)()) {
  if (const T* const object = std::get_if<T>(&handle)) return *object;
  const auto* const came = std::get_if<std::shared_ptr<process::ReceivedHandle>>(&handle);
  return came == nullptr ? T() : ((**came).*become)();
}

}  // namespace

Server Handle::server() const { return asked_for(handle_, &process::ReceivedHandle::server); }

Socket Handle::socket() const { return asked_for(handle_, &process::ReceivedHandle::socket); }

Datagram Handle::datagram() const { return asked_for(handle_, &process::ReceivedHandle::datagram); }

Descriptors Handle::descriptors() const {
  const auto* const open = std::get_if<Descriptors>(&handle_);
  return open == nullptr ? Descriptors() : *open;
}

}  // namespace tine
