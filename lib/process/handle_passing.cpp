#include "process/handle_passing.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <system_error>
#include <utility>

#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "base/sealed_memory.hpp"
#include "base/sockets.hpp"
#include "base/system_code.hpp"
#include "net/datagram_state.hpp"
#include "net/socket_address.hpp"
#include "net/socket_state.hpp"
#include "process/handle_content.hpp"
#include "process/json_members.hpp"
#include "tine/error.hpp"

namespace tine::process {

namespace {

using nlohmann::json;
using Kind = ReceivedHandle::Kind;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Errc::invalid_handle_type, what + " came beside a message; both were dropped");
}

bool listens(const base::Descriptor& socket) {
  return base::socket_option(socket.get(), SOL_SOCKET, SO_ACCEPTCONN).value_or(0) != 0;
}

int address_family(const base::Descriptor& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  return getsockname(socket.get(), raw, &size) < 0 ? AF_UNSPEC : address.ss_family;
}

// Returns what the kernel says the descriptor is. A TCP socket that is not connected is taken for a
// future server.
Kind kind_of(const base::Descriptor& descriptor) {
  const auto type = base::socket_option(descriptor.get(), SOL_SOCKET, SO_TYPE);
  const int family = address_family(descriptor);
  const bool internet = family == AF_INET || family == AF_INET6;
  if (type == SOCK_DGRAM && internet) return Kind::datagram;
  if (type != SOCK_STREAM || !(internet || family == AF_UNIX)) {
    refuse("a descriptor that is no stream or UDP socket");
  }
  if (listens(descriptor)) return Kind::server;
  const bool is_connected = net::remote_address(descriptor.get()).has_value();
  return is_connected || family == AF_UNIX ? Kind::socket : Kind::server;
}

// Throws Error if the descriptor does not match `type`: "net.Socket" and the like. The native types
// leave the kind to the kernel.
void verify_kind(const std::string& type, Kind kind, const base::Descriptor& descriptor) {
  const bool is_as_said =
      (type == "net.Server" && kind != Kind::datagram) ||
      (type == "net.BoundSocket" && kind == Kind::server) ||
      (type == "net.Socket" && kind != Kind::datagram && !listens(descriptor)) ||
      (type == "dgram.Socket" && kind == Kind::datagram) ||
      (type == "net.Native" && kind != Kind::datagram) ||
      (type == "dgram.Native" && kind == Kind::datagram);
  if (!is_as_said) refuse("a descriptor that is no \"" + type + "\"");
}

Kind kind_as(const std::string& type, Kind kind) {
  if (type == "net.Server") return Kind::server;
  return type == "net.Socket" ? Kind::socket : kind;
}

// Maps what came as a shared buffer. The peer is believed only what the kernel confirms.
SharedBuffer received_buffer(const json& line, base::Descriptor descriptor) {
  const auto size = line.find("size");
  if (size == line.end() || !size->is_number_unsigned() ||
      !base::SealedMemory::is_sealed(descriptor, size->get<std::size_t>())) {
    refuse("a descriptor that is no sealed memory of the size that its line says");
  }
  try {
    return base::SealedMemory::map(std::move(descriptor), size->get<std::size_t>());
  } catch (const Error& error) {
    throw Error(error.code(), "a shared buffer of " + size->dump() +
                                  " bytes that came beside a message could not be mapped; both "
                                  "were dropped");
  }
}

json dgram_type(bool ipv6) { return {{"dgramType", ipv6 ? "udp6" : "udp4"}}; }

base::Descriptor copy_of(int fd) {
  base::Descriptor copy = base::duplicate(fd);
  if (copy.get() >= 0) return copy;
  throw Error(base::system_code(errno),
              "a message was refused: its descriptor " + std::to_string(fd) + " cannot be sent");
}

[[noreturn]] void cannot_send(const char* what) {
  throw Error(Errc::invalid_handle_type, std::string("a message was refused: ") + what);
}

}  // namespace

// --- counting: connections at the other end, of a server here

class HandlePassing::PassedConnections final : public net::PeerConnections {
 public:
  PassedConnections(channel::Endpoint& end, const std::shared_ptr<net::ServerState>& server)
      : end_(&end), server_(server), key_(server->key()) {}

  bool of(const net::ServerState& server) const { return server_.lock().get() == &server; }
  bool server_is_gone() const { return server_.expired(); }
  const std::string& key() const { return key_; }

  void count(std::function<void(std::error_code, std::size_t)> counted) override {
    if (end_ == nullptr) return counted(Errc::closed_before_reply, 0);
    counting_.push_back(std::move(counted));
    end_->send_internal(object("cmd", "NODE_SOCKET_GET_COUNT", "key", key_));
  }

  void when_all_closed(std::function<void()> all_closed) override {
    if (end_ == nullptr) return all_closed();
    closing_.push_back(std::move(all_closed));
    end_->send_internal(object("cmd", "NODE_SOCKET_NOTIFY_CLOSE", "key", key_));
  }

  void counted(std::size_t count) {
    const auto callback = std::move(counting_.front());
    counting_.pop_front();
    callback({}, count);
  }

  void all_closed() {
    for (auto& callback : std::exchange(closing_, {})) callback();
  }

  bool is_counting() const { return !counting_.empty(); }

  void channel_ended() {
    end_ = nullptr;
    for (auto& callback : std::exchange(counting_, {})) callback(Errc::closed_before_reply, 0);
    all_closed();
    if (const auto server = server_.lock()) server->remove_peer_connections(*this);
  }

 private:
  channel::Endpoint* end_;
  std::weak_ptr<net::ServerState> server_;
  std::string key_;
  std::deque<std::function<void(std::error_code, std::size_t)>> counting_;
  std::deque<std::function<void()>> closing_;
};

// --- counting: connections here, of a server at the other end

class HandlePassing::ReceivedConnections final
    : public std::enable_shared_from_this<ReceivedConnections> {
 public:
  ReceivedConnections(channel::Endpoint& end, std::string key) : end_(&end), key_(std::move(key)) {}

  // Adds a connection, which counts for as long as the result is held.
  std::shared_ptr<void> add() {
    ++count_;
    return std::shared_ptr<void>(this, [self = shared_from_this()](void*) { self->closed(); });
  }

  std::size_t count() const { return count_; }
  bool in_use() const { return count_ > 0; }

  void tell_when_all_closed() {
    tell_ = true;
    tell_if_all_closed();
  }

  void channel_ended() { end_ = nullptr; }

 private:
  void closed() {
    --count_;
    tell_if_all_closed();
  }

  void tell_if_all_closed() {
    if (count_ > 0 || end_ == nullptr || !std::exchange(tell_, false)) return;
    end_->send_internal(object("cmd", "NODE_SOCKET_ALL_CLOSED", "key", key_));
  }

  channel::Endpoint* end_;
  std::string key_;
  std::size_t count_ = 0;
  bool tell_ = false;
};

// --- handles to descriptors

HandlePassing::HandlePassing(channel::Endpoint& end) : end_(end) {}

HandlePassing::~HandlePassing() { channel_ended(); }

channel::PassedHandle HandlePassing::pass(const Handle& handle, bool keep_open) try {
  if (ReceivedHandle* const came = HandleContent::untouched(handle)) {
    return pass_on(handle, *came, keep_open);
  }
  if (const Server server = handle.server()) return pass_server(server);
  if (const Socket socket = handle.socket()) return pass_socket(socket, keep_open);
  if (const Datagram socket = handle.datagram()) return pass_datagram(socket);
  if (const SharedBuffer buffer = handle.shared_buffer()) return pass_shared_buffer(buffer);
  if (const Descriptors open = handle.descriptors()) return pass_descriptors(open);
  cannot_send("its handle is empty");
} catch (const Error& error) {
  if (error.code() == std::errc::bad_file_descriptor) cannot_send("its handle is not open");
  throw;
}

// Passes on a received handle as it is: a server in transit does not listen here.
channel::PassedHandle HandlePassing::pass_on(const Handle& handle, ReceivedHandle& came,
                                             bool keep_open) {
  channel::PassedHandle passed;
  switch (came.kind()) {
    case Kind::server: passed.type = "net.Server"; break;
    case Kind::datagram:
      passed.type = "dgram.Socket";
      passed.members = dgram_type(address_family(came.descriptor()) == AF_INET6);
      break;
    case Kind::socket:
      passed.type = "net.Socket";
      if (!keep_open) passed.taken = [handle, &came] { came.close(); };
  }
  passed.descriptors.push_back(copy_of(came.descriptor().get()));
  return passed;
}

channel::PassedHandle HandlePassing::pass_server(const Server& server) {
  channel::PassedHandle passed{.type = "net.Server"};
  passed.descriptors.push_back(net::ServerState::of(server)->duplicate());
  return passed;
}

// The connection is counted at the other end before it ends here. What was written before the
// message goes out before what the other end writes, even with keep_open.
channel::PassedHandle HandlePassing::pass_socket(const Socket& socket, bool keep_open) {
  const auto& state = net::SocketState::of(socket);
  state->flush();
  channel::PassedHandle passed{.type = "net.Socket"};
  if (const auto& server = state->server()) passed.members = {{"key", server->key()}};
  passed.descriptors.push_back(state->duplicate());
  passed.taken = [this, state, keep_open] {
    if (state->server()) this->passed(state->server());
    if (!keep_open) const base::Descriptor closed = state->release();
  };
  return passed;
}

channel::PassedHandle HandlePassing::pass_datagram(const Datagram& socket) {
  const auto& state = net::DatagramState::of(socket);
  channel::PassedHandle passed{.type = "dgram.Socket"};
  passed.members = dgram_type(state->family() == Family::ipv6);
  passed.descriptors.push_back(state->duplicate());
  return passed;
}

channel::PassedHandle HandlePassing::pass_shared_buffer(const SharedBuffer& buffer) {
  channel::PassedHandle passed{.type = channel::PassedHandle::shared_buffer_type};
  passed.members = {{"size", buffer.size()}};
  passed.memory = buffer.size();
  passed.descriptors.push_back(copy_of(base::SealedMemory::of(buffer).descriptor().get()));
  return passed;
}

channel::PassedHandle HandlePassing::pass_descriptors(const Descriptors& descriptors) {
  channel::PassedHandle passed{.type = channel::PassedHandle::descriptors_type};
  passed.members = {{"count", descriptors.size()}};
  if (descriptors.size() > uv::Stream::most_descriptors)
    cannot_send("there are too many descriptors");
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    passed.descriptors.push_back(copy_of(descriptors.get(i)));
  }
  return passed;
}

void HandlePassing::passed(const std::shared_ptr<net::ServerState>& server) {
  std::erase_if(passed_, [](const auto& one) { return one->server_is_gone(); });
  for (const auto& one : passed_) {
    if (one->of(*server)) return;
  }
  passed_.push_back(std::make_shared<PassedConnections>(end_, server));
  server->add_peer_connections(passed_.back());
}

// --- descriptors to handles

Handle HandlePassing::receive(uv::LoopCore& core, const json& line,
                              std::vector<base::Descriptor> descriptors) {
  const std::string type = text_member(line, "type");
  if (type == channel::PassedHandle::descriptors_type) {
    std::vector<int> open;
    open.reserve(descriptors.size());
    for (base::Descriptor& descriptor : descriptors) open.push_back(descriptor.release());
    return Descriptors(std::move(open));
  }
  base::Descriptor& descriptor = descriptors.front();
  if (type == channel::PassedHandle::shared_buffer_type) {
    return received_buffer(line, std::move(descriptor));
  }
  const Kind kind = kind_of(descriptor);
  verify_kind(type, kind, descriptor);
  const std::string key = type == "net.Socket" ? text_member(line, "key") : "";
  return HandleContent::handle(
      std::make_shared<ReceivedHandle>(core, kind_as(type, kind), std::move(descriptor),
                                       key.empty() ? nullptr : connections_of(key)->add()));
}

// --- counting

// The peer chooses the keys, so those without a connection are not kept.
std::shared_ptr<HandlePassing::ReceivedConnections> HandlePassing::connections_of(
    const std::string& key) {
  std::erase_if(received_, [](const auto& one) { return !one.second->in_use(); });
  auto& connections = received_[key];
  if (!connections) connections = std::make_shared<ReceivedConnections>(end_, key);
  return connections;
}

bool HandlePassing::take(const json& message) {
  const std::string command = text_member(message, "cmd");
  const std::string key = text_member(message, "key");
  if (command == "NODE_SOCKET_GET_COUNT") {
    const auto connections = received_.find(key);
    const std::size_t count = connections == received_.end() ? 0 : connections->second->count();
    end_.send_internal(object("cmd", "NODE_SOCKET_COUNT", "key", key, "count", count));
  } else if (command == "NODE_SOCKET_NOTIFY_CLOSE") {
    connections_of(key)->tell_when_all_closed();
  } else if (command == "NODE_SOCKET_COUNT") {
    const auto count = message.find("count");
    const bool valid = count != message.end() && count->is_number_unsigned();
    const auto asked = std::find_if(passed_.begin(), passed_.end(), [&](const auto& one) {
      return one->key() == key && one->is_counting();
    });
    if (valid && asked != passed_.end()) {
      std::shared_ptr(*asked)->counted(count->get<std::size_t>());
    }
  } else if (command == "NODE_SOCKET_ALL_CLOSED") {
    for (const auto& one : std::vector(passed_)) {
      if (one->key() == key) one->all_closed();
    }
  } else {
    return false;
  }
  return true;
}

void HandlePassing::channel_ended() {
  for (const auto& one : std::exchange(passed_, {})) one->channel_ended();
  for (const auto& [key, one] : std::exchange(received_, {})) one->channel_ended();
}

}  // namespace tine::process
