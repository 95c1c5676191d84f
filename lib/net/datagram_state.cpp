#include "net/datagram_state.hpp"

#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/system_code.hpp"
#include "net/loss.hpp"
#include "net/resolve.hpp"

namespace tine::net {

namespace {

// The size of the longest possible datagram.
constexpr std::size_t largest_datagram = std::size_t{64} << 10;

// The most messages received in one turn: a flood must leave time for other work.
constexpr int most_a_turn = 32;

bool full(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

// --- starting to receive

void DatagramState::bind(const BindOptions& options) {
  if (core() == nullptr) return;
  if (state_ != State::idle) {
    return failed(Errc::already_bound, "bind");
  }
  core()->keep(shared_from_this());
  state_ = State::starting;
  try {
    start(options);
  } catch (const Error& error) {
    fail(error);
  }
}

void DatagramState::start(const BindOptions& options) {
  options_ = options;
  if (options.host.empty()) return find(std::nullopt);
  if (const auto literal = ip_address(options.host, options.port)) return find(literal);
  lookup_ = resolve(*core(), options_.host, ip_family(), options_.port,
                    [this](std::error_code error, const std::deque<SocketAddress>& found) {
                      const auto keep = shared_from_this();
                      lookup_.reset();
                      if (error) return fail(Error(error, "bind " + options_.host));
                      try {
                        find(found.front());
                      } catch (const Error& failed) {
                        fail(failed);
                      }
                    });
}

void DatagramState::find(const std::optional<SocketAddress>& where) {
  ListenerSource* const source = listener_source(*core());
  const bool shared = !options_.exclusive && !options_.reuse_port;
  if (source != nullptr && shared) return ask(*source, where);
  const char* const any = family_ == Family::ipv6 ? "::" : "0.0.0.0";
  bind_alone(where ? *where : *ip_address(any, options_.port));
}

void DatagramState::ask(ListenerSource& source, const std::optional<SocketAddress>& where) {
  keep_alive_.emplace(*core());
  keep_alive_->set_ref(ref_);
  using Kind = ListenerQuery::Kind;
  const ListenerQuery query{.kind = family_ == Family::ipv6 ? Kind::udp6 : Kind::udp4,
                            .address = where ? std::optional(to_address(*where)) : std::nullopt,
                            .port = options_.port,
                            .ipv6_only = options_.ipv6_only,
                            .reuse_address = options_.reuse_address};
  source.find(query, weak_from_this(), [weak = weak_from_this()](ListenerAnswer answer) {
    if (const auto self = weak.lock()) self->answered(std::move(answer));
  });
}

// If the socket was closed meanwhile, the answer is dropped.
void DatagramState::answered(ListenerAnswer answer) {
  if (state_ != State::starting || core() == nullptr) return;
  const int error = answer.error != 0 || answer.descriptor ? answer.error : EINVAL;
  if (error != 0) return fail(Error(base::system_code(error), "bind"));
  lease_ = std::move(answer.lease);
  try {
    open(std::move(*answer.descriptor));
  } catch (const Error& failed) {
    fail(failed);
  }
}

void DatagramState::bind_alone(const SocketAddress& where) {
  open(bound_socket(where, {.type = SOCK_DGRAM,
                            .ipv6_only = options_.ipv6_only,
                            .reuse_address = options_.reuse_address,
                            .reuse_port = options_.reuse_port}));
}

void DatagramState::open(base::Descriptor socket) {
  socket_.emplace(std::move(socket));
  bound_at_ = local_address(socket_->get());
  connected_ = net::remote_address(socket_->get()).has_value();
  poll_.emplace(*core(), socket_->get(), [this] { ready(); });
  core()->keep(shared_from_this());
  keep_alive_.reset();
  state_ = State::bound;
  schedule(Due::listening);
  if (connecting_) connect_now();
  send_queued();
}

// Unlike bind(), throws its errors.
void DatagramState::need_bound() {
  if (state_ != State::idle || core() == nullptr) return;
  core()->keep(shared_from_this());
  state_ = State::starting;
  try {
    start({.exclusive = true});
  } catch (const Error&) {
    stop();
    state_ = State::idle;
    core()->release(*this);
    throw;
  }
}

int DatagramState::fd() const {
  if (state_ == State::closed) throw Error(Errc::socket_not_running, "a datagram socket");
  if (!socket_) throw Error(base::system_code(EBADF), "a datagram socket that is not bound");
  return socket_->get();
}

// Returns to idle. The loop keeps the state until the error is emitted.
void DatagramState::fail(Error error) {
  stop();
  state_ = State::idle;
  cancel_queued(error.code());
  errors_.push_back({std::move(error)});
  schedule(Due::error);
}

void DatagramState::stop() noexcept {
  lookup_.reset();
  keep_alive_.reset();
  poll_.reset();
  socket_.reset();
  connecting_.reset();
  connected_ = false;
  due_.set_due(Due::listening, false);
  due_.set_due(Due::connect, false);
  const auto ended = std::exchange(lease_, nullptr);
}

// --- receiving

void DatagramState::ready() {
  const auto keep = shared_from_this();
  if (!queue_.empty()) send_queued();
  receive_some();
}

// If a listener throws, the remaining messages stay in the kernel until the loop goes on.
void DatagramState::receive_some() {
  if (!room_) room_ = std::make_unique_for_overwrite<char[]>(largest_datagram);
  for (int n = 0; n < most_a_turn && socket_ && !core()->halted(); ++n) {
    if (!receive_one()) return;
  }
}

// Returns whether more messages may be there.
bool DatagramState::receive_one() {
  SocketAddress from;
  from.size = sizeof from.storage;
  const ssize_t size = ::recvfrom(socket_->get(), room_.get(), largest_datagram, 0,
                                  reinterpret_cast<sockaddr*>(&from.storage), &from.size);
  if (size >= 0) {
    std::string_view bytes(room_.get(), static_cast<std::size_t>(size));
    Address address = to_address(from);
    notify<"message">(bytes, address);
    return true;
  }
  if (errno == EINTR) return true;
  if (full(errno)) return false;
  lost(base::system_code(errno), "receiving a message failed");
  return false;
}

// --- connecting

void DatagramState::connect(const Address& to) {
  if (core() == nullptr) return;
  const std::string what = "connect " + to_string(to);
  if (state_ == State::closed) return failed(Errc::socket_not_running, what);
  if (connected_ || connecting_) return failed(base::system_code(EISCONN), what);
  connecting_ = ip_address(to.host, to.port);
  if (!connecting_) return failed(base::system_code(EINVAL), what);
  if (state_ == State::bound) return connect_now();
  if (state_ == State::idle) bind({.exclusive = true});
}

void DatagramState::connect_now() {
  const SocketAddress to = *std::exchange(connecting_, std::nullopt);
  if (::connect(socket_->get(), to.get(), to.size) < 0) {
    return failed(base::system_code(errno), "connect " + to_string(to_address(to)));
  }
  connected_ = true;
  schedule(Due::connect);
}

// On disconnect, Linux gives up a port that it chose itself; the socket is then bound there again.
void DatagramState::disconnect() {
  if (connecting_) return connecting_.reset();
  if (!connected_) throw Error(base::system_code(ENOTCONN), "disconnect");
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  const bool done = ::connect(fd(), &nowhere, sizeof nowhere) == 0 || errno == EAFNOSUPPORT;
  if (!done) throw Error(base::system_code(errno), "disconnect");
  connected_ = false;
  due_.set_due(Due::connect, false);
  if (address() == bound_at_) return;
  const SocketAddress before = ip_address(bound_at_->host, bound_at_->port).value();
  if (::bind(fd(), before.get(), before.size) < 0) {
    throw Error(base::system_code(errno), "bind " + to_string(*bound_at_));
  }
}

std::optional<Address> DatagramState::remote_address() const {
  return socket_ ? net::remote_address(socket_->get()) : std::nullopt;
}

// --- sending

void DatagramState::send(std::string_view bytes, const Address& to, SendCallback sent) {
  if (core() == nullptr) return;
  if (state_ == State::closed) return finished(std::move(sent), Errc::socket_not_running);
  const auto address = ip_address(to.host, to.port);
  if (!address) return finished(std::move(sent), base::system_code(EINVAL));
  if (connected_ || connecting_) return finished(std::move(sent), base::system_code(EISCONN));
  send_or_queue(bytes, address, std::move(sent));
}

void DatagramState::send(std::string_view bytes, SendCallback sent) {
  if (core() == nullptr) return;
  if (state_ == State::closed) return finished(std::move(sent), Errc::socket_not_running);
  const bool somewhere = connected_ || connecting_;
  if (!somewhere) return finished(std::move(sent), base::system_code(EDESTADDRREQ));
  send_or_queue(bytes, std::nullopt, std::move(sent));
}

void DatagramState::send_or_queue(std::string_view bytes, const std::optional<SocketAddress>& to,
                                  SendCallback sent) {
  if (state_ == State::bound && queue_.empty()) {
    const int error = try_send(bytes, to);
    if (!full(error)) return finished(std::move(sent), base::system_code(error));
  }
  queue_.push_back({to, std::string(bytes), std::move(sent)});
  update_poll();
  if (state_ == State::idle) bind({.exclusive = true});
}

// Returns 0 or an errno.
int DatagramState::try_send(std::string_view bytes,
                            const std::optional<SocketAddress>& to) noexcept {
  const sockaddr* const address = to ? to->get() : nullptr;
  const socklen_t address_size = to ? to->size : 0;
  ssize_t size = 0;
  do {
    size = ::sendto(socket_->get(), bytes.data(), bytes.size(), 0, address, address_size);
  } while (size < 0 && errno == EINTR);
  return size < 0 ? errno : 0;
}

void DatagramState::send_queued() {
  while (!queue_.empty()) {
    const int error = try_send(queue_.front().bytes, queue_.front().to);
    if (full(error)) break;
    finished(std::move(queue_.front().sent), base::system_code(error));
    queue_.pop_front();
  }
  update_poll();
}

void DatagramState::update_poll() noexcept {
  if (!poll_) return;
  poll_->want(true, !queue_.empty());
  poll_->set_ref(ref_ || !queue_.empty());
}

void DatagramState::finished(SendCallback callback, std::error_code error) {
  if (callback) {
    sent_.push_back({std::move(callback), error});
    schedule(Due::sent);
  } else if (error) {
    lost(error, "a message was not sent");
  }
}

void DatagramState::failed(std::error_code error, const std::string& what) {
  errors_.push_back({Error(error, what)});
  schedule(Due::error);
}

void DatagramState::lost(std::error_code error, const std::string& what) {
  errors_.push_back({Error(error, what), is_loss(error)});
  schedule(Due::error);
}

void DatagramState::cancel_queued(std::error_code why) {
  for (Message& message : std::exchange(queue_, {})) {
    if (message.sent) finished(std::move(message.sent), why);
  }
}

// --- ending

void DatagramState::close(Callback<void()> closed) {
  if (core() == nullptr) return;
  close();
  if (closed) core()->defer(std::move(closed));
}

void DatagramState::close() {
  if (core() == nullptr || state_ == State::closed) return;
  core()->keep(shared_from_this());
  stop();
  state_ = State::closed;
  cancel_queued(base::system_code(ECANCELED));
  schedule(Due::close);
}

base::Descriptor DatagramState::release() {
  if (!socket_) return base::Descriptor(-1);
  send_queued();
  if (!queue_.empty()) {
    throw Error(base::system_code(EAGAIN), "a socket with unsent messages cannot be given away");
  }
  poll_.reset();
  base::Descriptor released = std::move(*socket_);
  close();
  return released;
}

base::Descriptor DatagramState::duplicate() const {
  return duplicated_socket(socket_ ? socket_->get() : -1);
}

std::optional<Address> DatagramState::address() const {
  return socket_ ? local_address(socket_->get()) : std::nullopt;
}

void DatagramState::set_ref(bool ref) {
  ref_ = ref;
  if (keep_alive_) keep_alive_->set_ref(ref);
  update_poll();
}

void DatagramState::loop_closing() noexcept {
  const auto keep = shared_from_this();
  stop();
  state_ = State::closed;
  const auto messages = std::exchange(queue_, {});
  const auto callbacks = std::exchange(sent_, {});
  clear();
}

// --- emitting

void DatagramState::schedule(Due event) noexcept {
  due_.schedule(event, core(), shared_from_this());
}

void DatagramState::emit(Due event) {
  switch (event) {
    case Due::error:
      return due_.emit_each(event, errors_, [this](const Failure& one) { emit_error(one); });
    case Due::listening: return notify<"listening">();
    case Due::connect: return notify<"connect">();
    case Due::sent:
      return due_.emit_each(event, sent_, [](const Sent& sent) { sent.callback(sent.error); });
    case Due::close:
    case Due::closed: return emit_close(event);
  }
}

void DatagramState::emit_error(const Failure& failure) {
  if (state_ == State::idle) core()->release(*this);
  if (failure.is_loss && !error_events_.heard(*this)) return;
  error_events_.emit(*this, failure.error);
}

// Callbacks that a callback has made due come before.
void DatagramState::emit_close(Due event) {
  if (!sent_.empty()) return due_.set_due(event);
  if (event == Due::close) {
    due_.set_due(Due::closed);
    return notify<"close">();
  }
  room_.reset();
  error_events_.remove_listeners(*this);
  core()->release(*this);
}

std::shared_ptr<DatagramState> make_datagram(uv::LoopCore& core, base::Descriptor socket) {
  const auto where = local_address(socket.get());
  if (!where || where->family == Family::unix_path) {
    throw Error(base::system_code(EPROTOTYPE), "a descriptor is no UDP socket");
  }
  const auto state = std::make_shared<DatagramState>(core, where->family);
  state->open(std::move(socket));
  return state;
}

}  // namespace tine::net
