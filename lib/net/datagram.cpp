#include "tine/datagram.hpp"

#include <cassert>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "base/system_code.hpp"
#include "net/datagram_options.hpp"
#include "net/datagram_state.hpp"

namespace tine {

namespace {

// Throws Error for an empty handle, as for a socket that is not bound.
net::DatagramState& of_handle(const std::shared_ptr<net::DatagramState>& state) {
  if (!state) throw Error(base::system_code(EBADF), "an empty handle to a datagram socket");
  return *state;
}

}  // namespace

Datagram::Datagram(Loop& loop, Family family)
    : Datagram(std::make_shared<net::DatagramState>(core_of(loop), family)) {
  assert(family != Family::unix_path && "a Datagram is of one of the IP families");
}
Datagram::Datagram(std::shared_ptr<net::DatagramState> state)
    : Emitter(state), state_(std::move(state)) {}

Datagram Datagram::adopt(Loop& loop, int descriptor) {
  return Datagram(net::make_datagram(core_of(loop), net::adopted_socket(descriptor, SOCK_DGRAM)));
}

void Datagram::bind(const BindOptions& options) const {
  if (state_) state_->bind(options);
}
void Datagram::send(std::string_view bytes, const Address& to, SendCallback sent) const {
  if (state_) state_->send(bytes, to, std::move(sent));
}
void Datagram::send(std::string_view bytes, SendCallback sent) const {
  if (state_) state_->send(bytes, std::move(sent));
}
void Datagram::connect(const Address& to) const {
  if (state_) state_->connect(to);
}
void Datagram::disconnect() const { of_handle(state_).disconnect(); }
void Datagram::close() const {
  if (state_) state_->close();
}
int Datagram::release() const { return state_ ? state_->release().release() : -1; }
std::optional<Address> Datagram::address() const {
  return state_ ? state_->address() : std::nullopt;
}
std::optional<Address> Datagram::remote_address() const {
  return state_ ? state_->remote_address() : std::nullopt;
}

void Datagram::add_membership(const std::string& group, const std::string& interface) const {
  net::DatagramState& socket = of_handle(state_);
  socket.need_bound();
  net::join(socket.fd(), socket.family(), {group, interface});
}
void Datagram::drop_membership(const std::string& group, const std::string& interface) const {
  const net::DatagramState& socket = of_handle(state_);
  net::leave(socket.fd(), socket.family(), {group, interface});
}
void Datagram::add_source_specific_membership(const std::string& source, const std::string& group,
                                              const std::string& interface) const {
  net::DatagramState& socket = of_handle(state_);
  socket.need_bound();
  net::join(socket.fd(), socket.family(), {group, interface, source});
}
void Datagram::drop_source_specific_membership(const std::string& source, const std::string& group,
                                               const std::string& interface) const {
  const net::DatagramState& socket = of_handle(state_);
  net::leave(socket.fd(), socket.family(), {group, interface, source});
}
void Datagram::multicast_interface(const std::string& interface) const {
  const net::DatagramState& socket = of_handle(state_);
  net::set_multicast_interface(socket.fd(), socket.family(), interface);
}
void Datagram::multicast_loopback(bool on) const {
  const net::DatagramState& socket = of_handle(state_);
  net::set_multicast_loopback(socket.fd(), socket.family(), on);
}
void Datagram::multicast_ttl(int hops) const {
  const net::DatagramState& socket = of_handle(state_);
  net::set_multicast_ttl(socket.fd(), socket.family(), hops);
}
void Datagram::ttl(int hops) const {
  const net::DatagramState& socket = of_handle(state_);
  net::set_ttl(socket.fd(), socket.family(), hops);
}
void Datagram::broadcast(bool on) const { net::set_broadcast(of_handle(state_).fd(), on); }

void Datagram::receive_buffer_size(std::size_t bytes) const {
  net::set_buffer_size(of_handle(state_).fd(), SO_RCVBUF, bytes);
}
void Datagram::send_buffer_size(std::size_t bytes) const {
  net::set_buffer_size(of_handle(state_).fd(), SO_SNDBUF, bytes);
}
std::size_t Datagram::receive_buffer_size() const {
  return net::buffer_size(of_handle(state_).fd(), SO_RCVBUF);
}
std::size_t Datagram::send_buffer_size() const {
  return net::buffer_size(of_handle(state_).fd(), SO_SNDBUF);
}

void Datagram::ref() const {
  if (state_) state_->set_ref(true);
}
void Datagram::unref() const {
  if (state_) state_->set_ref(false);
}

}  // namespace tine
