#include "tine/socket.hpp"

#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/sockets.hpp"
#include "base/system_code.hpp"
#include "net/bound_socket.hpp"
#include "net/resolve.hpp"
#include "net/server_state.hpp"
#include "net/socket_state.hpp"

namespace tine {

namespace net {

namespace {

#ifdef TCP_KEEPIDLE
constexpr int keep_alive_time = TCP_KEEPIDLE;
#else
constexpr int keep_alive_time = TCP_KEEPALIVE;  // macOS
#endif

}  // namespace

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
  addresses_ = std::move(addresses);
  try_next();
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
  on_activity();
  return true;
}

void SocketState::start_connecting(const ConnectOptions& options) {
  if (!options.path.empty()) {
    target_ = printable(options.path);
    addresses_.push_back(path_address(options.path));
    return try_next();
  }
  const auto literal = ip_address(options.host, options.port);
  target_ = literal ? to_string(to_address(*literal))
                    : printable(options.host) + ':' + std::to_string(options.port);
  if (!literal) return resolve(options.host, options.port);
  addresses_.push_back(*literal);
  try_next();
}

void SocketState::resolve(const std::string& host, std::uint16_t port) {
  lookup_ = net::resolve(*core(), host, AF_UNSPEC, port,
                         [this](std::error_code error, std::deque<SocketAddress> found) {
                           const auto keep = shared_from_this();
                           lookup_.reset();
                           if (error) return connect_failed(error);
                           addresses_ = std::move(found);
                           try_next();
                         });
}

// At least one address must be left. Only the error of the last one is reported.
void SocketState::try_next() noexcept {
  const SocketAddress address = addresses_.front();
  addresses_.pop_front();
  try {
    try_address(address);
  } catch (const Error& error) {
    if (addresses_.empty()) return connect_failed(error.code());
    try_next();
  }
}

void SocketState::try_address(const SocketAddress& address) {
  base::Descriptor socket = base::make_socket(address.family(), SOCK_STREAM);
  if (socket.get() < 0) throw Error(base::system_code(errno), target_);
  connector_ = std::make_unique<uv::Connector>(*core(), std::move(socket),
                                               [this](int error) { connected(error); });
  if (const int error = connector_->connect(address.get(), address.size); error != 0) {
    throw Error(base::system_code(error), target_);
  }
  connector_->set_ref(ref_);
}

void SocketState::connected(int error) {
  const auto keep = shared_from_this();
  const auto connector = std::move(connector_);
  if (error != 0 && !addresses_.empty()) return try_next();
  if (error != 0) return connect_failed(base::system_code(error));
  addresses_.clear();
  state_ = State::connected;
  schedule(Due::connect);
  try {
    bytes().open(connector->take(), Direction::both);
    apply_options();
  } catch (const Error& failed) {
    connect_failed(failed.code());
  }
}

void SocketState::connect_failed(std::error_code why) noexcept {
  connector_.reset();
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
  lookup_.reset();
  connector_.reset();
  addresses_.clear();
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
  timer_.reset();
  leave_server();
  ByteStreamState::on_closed();
}

void SocketState::loop_closing() noexcept {
  lookup_.reset();
  connector_.reset();
  timer_.reset();
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
  if (connector_) connector_->set_ref(ref);
  bytes().set_ref(ref);
}

void SocketState::set_no_delay(bool on) {
  no_delay_ = on;
  apply_options();
}

void SocketState::set_keep_alive(bool on, std::chrono::seconds after) {
  keep_alive_ = on;
  keep_alive_after_ = after;
  apply_options();
}

// A socket that is not TCP rejects or ignores these options.
void SocketState::apply_options() noexcept {
  const int fd = bytes().fd();
  if (fd < 0) return;
  if (no_delay_) base::set_socket_option(fd, IPPROTO_TCP, TCP_NODELAY, *no_delay_ ? 1 : 0);
  if (!keep_alive_) return;
  base::set_socket_option(fd, SOL_SOCKET, SO_KEEPALIVE, *keep_alive_ ? 1 : 0);
  const auto after = static_cast<int>(keep_alive_after_.count());
  if (after > 0) base::set_socket_option(fd, IPPROTO_TCP, keep_alive_time, after);
}

// --- the timeout

void SocketState::set_timeout(std::chrono::milliseconds idle) {
  if (core() == nullptr || closed()) return;
  idle_ = idle;
  timer_.reset();
  timer_runs_ = false;
  if (idle <= idle.zero()) return;
  timer_.emplace(*core(), [this] { timer_expired(); });
  timer_->set_ref(false);
  on_activity();
}

// A running timer is not restarted: when it expires, it checks the time of the last activity.
void SocketState::on_activity() noexcept {
  if (!timer_) return;
  last_activity_ = std::chrono::steady_clock::now();
  if (!std::exchange(timer_runs_, true)) timer_->start(idle_);
}

void SocketState::timer_expired() {
  const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - last_activity_);
  if (silent < idle_) return timer_->start(idle_ - silent);
  timer_runs_ = false;
  schedule(Due::timeout);
}

// --- emitting

void SocketState::on_open_error(std::error_code why) { on_error(Error(why, "connect " + target_)); }

void SocketState::schedule(Due event) noexcept { due_.schedule(event, core(), shared_from_this()); }

void SocketState::emit(Due event) {
  switch (event) {
    case Due::connect: return notify<"connect">();
    case Due::error:
      return due_.emit_each(event, errors_, [this](Error& error) { on_error(std::move(error)); });
    case Due::timeout:
      if (timer_) notify<"timeout">();
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
