#include "tine/handle.hpp"

#include <stdexcept>
#include <utility>

#include "net/datagram_state.hpp"
#include "net/server_state.hpp"
#include "net/socket_state.hpp"
#include "process/handle_content.hpp"

namespace tine {

class Descriptors::Owned {
 public:
  std::vector<base::Descriptor> open;
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

int Descriptors::release(std::size_t index) const {
  if (index >= size()) throw std::out_of_range("there are not as many descriptors");
  return owned_->open[index].release();
}

namespace process {

base::Descriptor ReceivedHandle::take() {
  base::Descriptor taken = std::move(*descriptor_);
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

using process::HandleContent;

// Returns the object that is held; an empty one if it is of another kind.
template <class T>
T held(const Handle& handle) {
  const T* const object = HandleContent::get<T>(handle);
  return object == nullptr ? T() : *object;
}

// Returns the object that is held, or the one that a received handle becomes.
template <class T>
T asked_for(const Handle& handle, T (process::ReceivedHandle::*become)()) {
  if (const T* const object = HandleContent::get<T>(handle)) return *object;
  const auto* const received = HandleContent::get<HandleContent::Received>(handle);
  return received == nullptr ? T() : ((**received).*become)();
}

}  // namespace

Handle::Handle(Server server) : content_(std::make_shared<HandleContent>(std::move(server))) {}
Handle::Handle(Socket socket) : content_(std::make_shared<HandleContent>(std::move(socket))) {}
Handle::Handle(Datagram socket) : content_(std::make_shared<HandleContent>(std::move(socket))) {}
Handle::Handle(SharedBuffer buffer)
    : content_(std::make_shared<HandleContent>(std::move(buffer))) {}
Handle::Handle(Descriptors descriptors)
    : content_(std::make_shared<HandleContent>(std::move(descriptors))) {}

Server Handle::server() const { return asked_for(*this, &process::ReceivedHandle::server); }

Socket Handle::socket() const { return asked_for(*this, &process::ReceivedHandle::socket); }

Datagram Handle::datagram() const { return asked_for(*this, &process::ReceivedHandle::datagram); }

SharedBuffer Handle::shared_buffer() const { return held<SharedBuffer>(*this); }
Handle::operator SharedBuffer() const { return shared_buffer(); }

Descriptors Handle::descriptors() const { return held<Descriptors>(*this); }

}  // namespace tine
