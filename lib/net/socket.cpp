#include "tine/socket.hpp"

#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "base/system_code.hpp"
#include "net/bound_socket.hpp"
#include "net/server_state.hpp"
#include "net/socket_state.hpp"

namespace tine {

namespace net {

SocketState::SocketState(uv::LoopCore& core) : ByteStreamState(core) { bytes().open_later(); }

Socket SocketState::handle() {
  return Socket(std::static_pointer_cast<SocketState>(shared_from_this()));
}

// --- connecting

void SocketState::connect(const ConnectOptions& options) {
  if (!start()) return;
  try {
    start_connecting(options);
  } catch (const Error& error) {
    connect_failed(error.code());
  }
}

void SocketState::connect_to(std::deque<SocketAddress> addresses, std::string target) {
  if (!start()) return;
  target_ = std::move(target);
  connecting_->connect(std::move(addresses));
}

// Returns false if the socket cannot be connected (any more).
bool SocketState::start() {
  if (core() == nullptr) return false;
  if (state_ != State::idle || closed()) {
    errors_.emplace_back(base::system_code(EISCONN), "connect");
    schedule(Due::error);
    return false;
  }
  core()->keep(std::static_pointer_cast<SocketState>(shared_from_this()));
  state_ = State::connecting;
  connecting_.emplace(*core(), [this](std::error_code error, base::Descriptor socket) {
    error ? connect_failed(error) : connected(std::move(socket));
  });
  connecting_->set_ref(ref_);
  on_activity();
  return true;
}

void SocketState::start_connecting(const ConnectOptions& options) {
  if (!options.path.empty()) {
    target_ = printable(options.path);
    return connecting_->connect({path_address(options.path)});
  }
  const auto literal = ip_address(options.host, options.port);
  target_ = literal ? to_string(to_address(*literal))
                    : printable(options.host) + ':' + std::to_string(options.port);
  literal ? connecting_->connect({*literal}) : connecting_->connect(options.host, options.port);
}

void SocketState::connected(base::Descriptor socket) {
  connecting_.reset();
  state_ = State::connected;
  schedule(Due::connect);
  try {
    bytes().open(std::move(socket), Direction::both);
    apply_options();
  } catch (const Error& failed) {
    connect_failed(failed.code());
  }
}

void SocketState::connect_failed(std::error_code why) noexcept {
  connecting_.reset();
  due_.set_due(Due::connect, false);
  bytes().fail_opening(why);
}

void SocketState::open(base::Descriptor socket, std::shared_ptr<ServerState> server) {
  bytes().open(std::move(socket), Direction::both);
  server_ = std::move(server);
  counted_ = server_ != nullptr;
  state_ = State::connected;
}

// --- ending

void SocketState::destroy() noexcept {
  connecting_.reset();
  due_.set_due(Due::connect, false);
  bytes().destroy();
}

void SocketState::flush() {
  if (const std::error_code error = bytes().flush()) {
    throw Error(error, "a socket with unwritten or undelivered bytes cannot be given away");
  }
}

base::Descriptor SocketState::release() noexcept {
  base::Descriptor released = bytes().release();
  if (released.get() >= 0) leave_server();
  return released;
}

base::Descriptor SocketState::duplicate() const { return duplicated_socket(bytes().fd()); }

void SocketState::leave_server() noexcept {
  if (std::exchange(counted_, false)) server_->connection_ended();
}

void SocketState::on_closed() {
  timeout_.stop();
  leave_server();
  ByteStreamState::on_closed();
}

void SocketState::loop_closing() noexcept {
  connecting_.reset();
  timeout_.stop();
  ByteStreamState::loop_closing();
}

// --- addresses and options

// The address is remembered: once the peer is gone, the kernel no longer knows it.
std::optional<Address> SocketState::remote_address() {
  if (!remote_) remote_ = net::remote_address(bytes().fd());
  return remote_;
}

std::optional<Address> SocketState::local_address() {
  if (!local_) local_ = net::local_address(bytes().fd());
  return local_;
}

void SocketState::set_ref(bool ref) {
  ref_ = ref;
  if (connecting_) connecting_->set_ref(ref);
  bytes().set_ref(ref);
}

void SocketState::set_no_delay(bool on) {
  options_.no_delay = on;
  apply_options();
}

void SocketState::set_keep_alive(bool on, std::chrono::seconds after) {
  options_.keep_alive = {on, after};
  apply_options();
}

void SocketState::apply_options() noexcept {
  if (bytes().fd() >= 0) options_.apply_to(bytes().fd());
}

void SocketState::set_timeout(std::chrono::milliseconds idle) {
  if (core() != nullptr && !closed()) timeout_.set(*core(), idle);
}

void SocketState::on_activity() noexcept { timeout_.active(); }

// --- emitting

void SocketState::on_open_error(std::error_code why) { on_error(Error(why, "connect " + target_)); }

void SocketState::schedule(Due event) noexcept { due_.schedule(event, core(), shared_from_this()); }

void SocketState::emit(Due event) {
  switch (event) {
    case Due::connect: return notify<"connect">();
    case Due::error:
      return due_.emit_each(event, errors_, [this](Error& error) { on_error(std::move(error)); });
    case Due::timeout:
      if (timeout_.is_set()) notify<"timeout">();
  }
}

std::shared_ptr<SocketState> make_socket(uv::LoopCore& core, base::Descriptor socket,
                                         std::shared_ptr<ServerState> server) {
  const auto state = std::make_shared<SocketState>(core);
  state->open(std::move(socket), std::move(server));
  core.keep(state);
  return state;
}

}  // namespace net

Socket::Socket(Loop& loop) : Socket(std::make_shared<net::SocketState>(core_of(loop))) {}
Socket::Socket(std::shared_ptr<net::SocketState> state)
    : Emitter(state), state_(std::move(state)) {}

Socket Socket::adopt(Loop& loop, int descriptor) {
  return Socket(net::make_socket(core_of(loop), net::adopted_socket(descriptor, SOCK_STREAM)));
}

bool Socket::write(std::string_view bytes, SendCallback written) const {
  return state_ && state_->bytes().write(bytes, std::move(written));
}

void Socket::connect(const ConnectOptions& options) const {
  if (state_) state_->connect(options);
}
void Socket::end(std::string_view last) const {
  if (state_) state_->bytes().end(last);
}
void Socket::destroy() const {
  if (state_) state_->destroy();
}
int Socket::release() const {
  if (!state_) return -1;
  state_->flush();
  return state_->release().release();
}
void Socket::pause() const {
  if (state_) state_->bytes().set_flowing(false);
}
void Socket::resume() const {
  if (state_) state_->bytes().set_flowing(true);
}
bool Socket::readable() const { return state_ && state_->readable(); }
bool Socket::writable() const { return state_ && state_->bytes().writable(); }
bool Socket::connecting() const { return state_ && state_->connecting(); }
std::size_t Socket::queued_bytes() const { return state_ ? state_->bytes().queued() : 0; }
std::optional<Address> Socket::remote_address() const {
  return state_ ? state_->remote_address() : std::nullopt;
}
std::optional<Address> Socket::local_address() const {
  return state_ ? state_->local_address() : std::nullopt;
}
void Socket::no_delay(bool on) const {
  if (state_) state_->set_no_delay(on);
}

void Socket::keep_alive(bool on, std::chrono::seconds after) const {
  if (state_) state_->set_keep_alive(on, after);
}

void Socket::timeout(std::chrono::milliseconds idle) const {
  if (state_) state_->set_timeout(idle);
}
void Socket::ref() const {
  if (state_) state_->set_ref(true);
}
void Socket::unref() const {
  if (state_) state_->set_ref(false);
}

}  // namespace tine
