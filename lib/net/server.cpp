#include "tine/server.hpp"

#include <atomic>
#include <cassert>
#include <cerrno>
#include <utility>

#include <netinet/in.h>

#include "base/system_code.hpp"
#include "net/resolve.hpp"
#include "net/server_state.hpp"
#include "net/socket_state.hpp"

namespace tine {

namespace net {

namespace {

// The address type is Node's: 4, 6, or -1 for a path.
std::string key_of(const Address& where) {
  static std::atomic<std::uint64_t> servers = 0;  // on all loops
  const std::string number = ':' + std::to_string(++servers);
  switch (where.family) {
    case Family::ipv4: return "4:" + where.host + ':' + std::to_string(where.port) + number;
    case Family::ipv6: return "6:" + where.host + ':' + std::to_string(where.port) + number;
    case Family::unix_path: break;
  }
  return "-1:" + where.host + ":-1" + number;
}

SocketAddress socket_address(const Address& address) {
  if (address.family == Family::unix_path) return path_address(address.host);
  return *ip_address(address.host, address.port);
}

}  // namespace

// --- starting to listen

void ServerState::listen(const ListenOptions& options) {
  if (core() == nullptr) return;
  if (state_ != State::idle) {
    errors_.emplace_back(Errc::already_listening, "listen");
    return schedule(Due::error);
  }
  core()->keep(shared_from_this());
  state_ = State::starting;
  try {
    start(options);
  } catch (const Error& error) {
    fail(error);
  }
}

void ServerState::start(const ListenOptions& options) {
  options_ = options;
  if (options.descriptor >= 0) {
    start_at_descriptor();
  } else if (!options.path.empty()) {
    verify_path(options.path);
    find(Address{Family::unix_path, options.path, 0});
  } else if (options.host.empty()) {
    find(std::nullopt);
  } else if (const auto literal = ip_address(options.host, options.port)) {
    find(to_address(*literal));
  } else {
    resolve();
  }
}

// If there is a source, the descriptor belongs to the process that the source asks.
void ServerState::start_at_descriptor() {
  ListenerSource* const source = listener_source(*core());
  if (source == nullptr || options_.exclusive) {
    return listen_on(adopted_socket(options_.descriptor, SOCK_STREAM), options_.backlog);
  }
  where_ = "descriptor " + std::to_string(options_.descriptor);
  ask(*source, std::nullopt);
}

void ServerState::resolve() {
  lookup_ = net::resolve(*core(), options_.host, AF_UNSPEC, options_.port,
                         [this](std::error_code error, const std::deque<SocketAddress>& found) {
                           const auto keep = shared_from_this();
                           lookup_.reset();
                           if (error) return fail(Error(error, "listen " + options_.host));
                           try {
                             find(to_address(found.front()));
                           } catch (const Error& failed) {
                             fail(failed);
                           }
                         });
}

void ServerState::find(std::optional<Address> where) {
  where_ = where ? to_string(*where) : "port " + std::to_string(options_.port);
  ListenerSource* const source = listener_source(*core());
  const bool own_port = options_.reuse_port && options_.path.empty();
  if (source == nullptr || options_.exclusive || own_port) return listen_alone(where);
  ask(*source, std::move(where));
}

void ServerState::ask(ListenerSource& source, std::optional<Address> where) {
  keep_alive_.emplace(*core());
  keep_alive_->set_ref(ref_);
  const ListenerQuery query{.kind = ListenerQuery::Kind::stream,
                            .descriptor = options_.descriptor,
                            .address = std::move(where),
                            .port = options_.port,
                            .backlog = options_.backlog,
                            .readable_all = options_.readable_all,
                            .writable_all = options_.writable_all,
                            .ipv6_only = options_.ipv6_only};
  source.find(query, weak_from_this(), [weak = weak_from_this()](ListenerAnswer answer) {
    if (const auto self = weak.lock()) self->answered(std::move(answer));
  });
}

// If the server was closed meanwhile, the answer is dropped.
void ServerState::answered(ListenerAnswer answer) {
  if (state_ != State::starting || core() == nullptr) return;
  if (answer.error != 0) return fail(Error(base::system_code(answer.error), "listen " + where_));
  lease_ = std::move(answer.lease);
  tell_ended_ = std::move(answer.connection_ended);
  try {
    if (answer.descriptor) return listen_at(std::move(*answer.descriptor));
  } catch (const Error& error) {
    return fail(error);
  }
  handed_address_ = std::move(answer.address);
  now_listening();
}

void ServerState::listen_alone(const std::optional<Address>& where) {
  const SocketOptions options{
      .type = SOCK_STREAM, .ipv6_only = options_.ipv6_only, .reuse_port = options_.reuse_port};
  base::Descriptor socket =
      where ? bound_socket(socket_address(*where), options) : bound_socket(options_.port, options);
  if (!options_.path.empty()) {
    path_.emplace(options_.path, options_.readable_all, options_.writable_all);
  }
  listen_at(std::move(socket));
}

void ServerState::listen_on(base::Descriptor socket, int backlog) {
  core()->keep(shared_from_this());
  state_ = State::starting;
  options_.backlog = backlog;
  if (const auto where = local_address(socket.get())) where_ = to_string(*where);
  try {
    listen_at(std::move(socket));
  } catch (const Error& error) {
    fail(error);
  }
}

void ServerState::listen_at(base::Descriptor socket) {
  if (::listen(socket.get(), options_.backlog) < 0) {
    const std::error_code why = base::system_code(errno);
    const auto where = local_address(socket.get());
    throw Error(why, "listen " + (where ? to_string(*where) : where_));
  }
  uv::Listener::User& user = *this;
  listener_ = std::make_shared<uv::Listener>(*core(), std::move(socket), user);
  listener_->set_ref(ref_);
  keep_alive_.reset();
  now_listening();
}

void ServerState::now_listening() {
  state_ = State::listening;
  key_ = key_of(address().value_or(Address{}));
  schedule(Due::listening);
}

// Returns to idle. The loop keeps the state until the error is emitted.
void ServerState::fail(Error error) {
  stop();
  state_ = State::idle;
  errors_.push_back(std::move(error));
  schedule(Due::error);
}

void ServerState::stop() noexcept {
  lookup_.reset();
  keep_alive_.reset();
  if (listener_) const base::Descriptor closed = listener_->close();
  listener_.reset();
  path_.reset();
  handed_address_.reset();
  due_.set_due(Due::listening, false);
  const auto ended = std::exchange(lease_, nullptr);
}

// --- connections

void ServerState::on_connection(base::Descriptor connection) {
  if (connections_.full()) return drop(std::move(connection));
  if (list<"connection">().count() == 0) return;
  std::optional<Socket> socket = take(std::move(connection));
  if (socket) notify<"connection">(*socket);
}

bool ServerState::accepted(base::Descriptor& connection) {
  if (state_ != State::listening || core() == nullptr || connections_.full()) return false;
  if (list<"connection">().count() == 0) {
    const base::Descriptor closed = std::move(connection);
    return true;
  }
  if (auto socket = take(std::move(connection))) {
    handed_.push_back(std::move(*socket));
    schedule(Due::connection);
  }
  return true;
}

// If the system lacks the resources for it, returns none and reports the error.
std::optional<Socket> ServerState::take(base::Descriptor connection) {
  try {
    const auto socket = make_socket(*core(), std::move(connection), shared_from_this());
    connections_.opened();
    return socket->handle();
  } catch (const Error& error) {
    errors_.push_back(error);
    schedule(Due::error);
    return std::nullopt;
  }
}

void ServerState::drop(base::Descriptor connection) {
  if (list<"drop">().count() == 0) return;
  drops_.push_back(remote_address(connection.get()).value_or(Address{}));
  schedule(Due::drop);
}

void ServerState::on_broken(int error) {
  errors_.emplace_back(base::system_code(error), "accept " + where_);
  schedule(Due::error);
}

void ServerState::connection_ended() noexcept {
  connections_.ended();
  if (tell_ended_) tell_ended_();
  close_if_ended();
}

void ServerState::add_peer_connections(std::shared_ptr<PeerConnections> connections) {
  connections_.add(connections);
  if (state_ == State::closing) wait_for(connections);
}

void ServerState::remove_peer_connections(const PeerConnections& connections) {
  connections_.remove(connections);
  close_if_ended();
}

void ServerState::count_connections(ServerConnections::Counted counted) {
  if (core() != nullptr) connections_.count(*core(), std::move(counted));
}

// --- ending

void ServerState::close(Callback<void()> closed) {
  if (core() == nullptr) return;
  if (closed) closed_.push_back(std::move(closed));
  if (state_ == State::closed) {
    return schedule(Due::close_callbacks);
  }
  if (state_ == State::closing) return;
  core()->keep(shared_from_this());
  stop();
  state_ = State::closing;
  for (const auto& connections : ServerConnections::Peers(connections_.peers())) {
    wait_for(connections);
  }
  close_if_ended();
}

void ServerState::wait_for(const std::shared_ptr<PeerConnections>& connections) {
  connections->when_all_closed([weak = weak_from_this(), one = std::weak_ptr(connections)] {
    const auto self = weak.lock();
    const auto ended = one.lock();
    if (self && ended) self->remove_peer_connections(*ended);
  });
}

void ServerState::close_if_ended() noexcept {
  if (state_ != State::closing || !connections_.none()) return;
  state_ = State::closed;
  schedule(Due::close);
}

base::Descriptor ServerState::release() {
  if (!listener_) return base::Descriptor(-1);
  base::Descriptor released = std::exchange(listener_, nullptr)->close();
  if (path_) path_->leave();
  close({});
  return released;
}

base::Descriptor ServerState::duplicate() const {
  return duplicated_socket(listener_ ? listener_->fd() : -1);
}

std::optional<Address> ServerState::address() const {
  return listener_ ? local_address(listener_->fd()) : handed_address_;
}

void ServerState::set_ref(bool ref) {
  ref_ = ref;
  if (keep_alive_) keep_alive_->set_ref(ref);
  if (listener_) listener_->set_ref(ref);
}

void ServerState::loop_closing() noexcept {
  const auto keep = shared_from_this();
  stop();
  state_ = State::closed;
  const auto sockets = std::exchange(handed_, {});
  const auto callbacks = std::exchange(closed_, {});
  const auto connections = connections_.take_peers();
  clear();
}

// --- emitting

void ServerState::schedule(Due event) noexcept { due_.schedule(event, core(), shared_from_this()); }

void ServerState::emit(Due event) {
  switch (event) {
    case Due::error:
      return due_.emit_each(event, errors_, [this](const Error& error) { emit_error(error); });
    case Due::listening: return notify<"listening">();
    case Due::connection:
      return due_.emit_each(event, handed_, [this](Socket& socket) { emit_connection(socket); });
    case Due::drop:
      return due_.emit_each(event, drops_, [this](Address& from) { notify<"drop">(from); });
    case Due::close: return emit_close();
    case Due::close_callbacks: return call_close_callbacks();
  }
}

void ServerState::emit_error(const Error& error) {
  if (state_ == State::idle) core()->release(*this);
  error_events_.emit(*this, error);
}

void ServerState::emit_connection(Socket& socket) {
  if (list<"connection">().count() == 0) socket.destroy();
  notify<"connection">(socket);
}

void ServerState::emit_close() {
  due_.set_due(Due::close_callbacks);
  notify<"close">();
}

void ServerState::call_close_callbacks() {
  due_.set_due(Due::close_callbacks);  // until all have returned
  while (!closed_.empty()) {
    const auto closed = std::move(closed_.front());
    closed_.pop_front();
    closed();
  }
  due_.set_due(Due::close_callbacks, false);
  error_events_.remove_listeners(*this);
  core()->release(*this);
}

std::shared_ptr<ServerState> make_server(uv::LoopCore& core, base::Descriptor socket) {
  const auto state = std::make_shared<ServerState>(core);
  state->listen_on(std::move(socket), ListenOptions().backlog);
  return state;
}

}  // namespace net

Server::Server(Loop& loop) : Server(std::make_shared<net::ServerState>(core_of(loop))) {}
Server::Server(std::shared_ptr<net::ServerState> state)
    : Emitter(state), state_(std::move(state)) {}

Server Server::adopt(Loop& loop, int descriptor) {
  return Server(net::make_server(core_of(loop), net::adopted_socket(descriptor, SOCK_STREAM)));
}

void Server::listen(const ListenOptions& options) const {
  if (state_) state_->listen(options);
}
void Server::close(Callback<void()> closed) const {
  if (state_) state_->close(std::move(closed));
}
int Server::release() const { return state_ ? state_->release().release() : -1; }
bool Server::listening() const { return state_ && state_->listening(); }
std::optional<Address> Server::address() const { return state_ ? state_->address() : std::nullopt; }

void Server::connections(Callback<void(std::error_code, std::size_t)> callback) const {
  if (state_) state_->count_connections(std::move(callback));
}

void Server::max_connections(std::optional<std::size_t> most) const {
  if (state_) state_->set_max_connections(most);
}
std::optional<std::size_t> Server::max_connections() const {
  return state_ ? state_->max_connections() : std::nullopt;
}
void Server::ref() const {
  if (state_) state_->set_ref(true);
}
void Server::unref() const {
  if (state_) state_->set_ref(false);
}

}  // namespace tine
