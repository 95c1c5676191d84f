#include "net/acceptor.hpp"

#include <cerrno>
#include <string>
#include <utility>

#include <sys/socket.h>

#include "base/system_code.hpp"
#include "net/socket_address.hpp"

namespace tine::net {

namespace {

base::Descriptor listening(base::Descriptor socket, int backlog) {
  if (::listen(socket.get(), backlog) == 0) return socket;
  throw Error(base::system_code(errno), "listen");
}

}  // namespace

Acceptor::Acceptor(Loop& loop, base::Descriptor bound, int backlog, User& user) : user_(user) {
  uv::Listener::User& self = *this;
  listener_ =
      std::make_shared<uv::Listener>(core_of(loop), listening(std::move(bound), backlog), self);
}

Acceptor::~Acceptor() { const base::Descriptor closed = listener_->close(); }

std::optional<Address> Acceptor::address() const { return local_address(listener_->fd()); }

void Acceptor::on_connection(base::Descriptor connection) {
  user_.on_connection(std::move(connection));
}

void Acceptor::on_broken(int error) {
  const auto where = address();
  user_.on_broken(
      Error(base::system_code(error), where ? "accept " + to_string(*where) : "accept"));
}

}  // namespace tine::net
