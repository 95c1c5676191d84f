#include "cluster/primary.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "cluster/settings.hpp"
#include "process/access.hpp"
#include "process/json_members.hpp"
#include "process/program.hpp"

namespace tine::cluster {

namespace {

using nlohmann::json;
using process::flag_member;
using process::text_member;

// A worker that asks for more sockets is broken.
constexpr std::size_t max_sockets_per_worker = 1000;

std::optional<base::Descriptor> try_duplicate(const base::Descriptor& socket) {
  try {
    return net::duplicated_socket(socket.get());
  } catch (const Error&) {
    return std::nullopt;
  }
}

// The number of an error as Node sends it: a negated errno.
int negated_errno(const std::error_code& error) {
  const bool system = error.category() == std::generic_category();
  return system ? -error.value() : -EINVAL;
}

}  // namespace

// --- starting workers

void Primary::setup(const ClusterSettings& given) {
  set_up_ = true;
  merge(settings_, given);
  if (!settings_.balancing) settings_.balancing = balancing_of_environment();
  defer([self = shared_from_this()] { self->notify<"setup">(); });
}

Worker Primary::fork(const std::map<std::string, std::optional<std::string>>& env) {
  if (!set_up_) setup({});
  const int id = ++last_id_;
  const auto program = settings_.exec.empty() ? process::program_path() : settings_.exec;
  const ChildProcess child = fork_worker(program, worker_options(settings_, env, id), id);
  const auto worker = std::make_shared<WorkerState>(id, process::Access::channel_of(child), child);
  worker->set_delegate(std::static_pointer_cast<Delegate>(shared_from_this()));
  workers_.emplace(id, worker);
  subscribe_to(worker);
  defer([self = shared_from_this(), worker] { self->notify<"fork">(worker->handle()); });
  return worker->handle();
}

// The listeners keep the worker and this alive. They are dropped with the child's "close".
void Primary::subscribe_to(const std::shared_ptr<WorkerState>& worker) {
  const auto self = shared_from_this();
  ChildProcess child = worker->child();
  process::Access::route_internal(child, [self, worker](const json& message, const Handle&) {
    self->handle_message(*worker, message);
    return true;
  });
  child.on<"message">([self, worker](Message& message) {
    if (self->list<"message">().count() == 0) return worker->emit_message(message);
    json copy = message.value();  // the worker's last listener may move the value out
    worker->emit_message(message);
    self->notify<"message">(worker->handle(), std::move(copy), Handle(message.handle()));
  });
  child.on<"error">([self, worker](const Error& error) { self->handle_error(*worker, error); });
  child.on<"disconnect">([self, worker] {
    self->remove_from_sockets(*worker);
    if (worker->voluntary()) self->worker_ended(*worker);
    worker->notify<"disconnect">();
    self->notify<"disconnect">(worker->handle());
  });
  child.on<"exit">([self, worker](ExitStatus status) {
    worker->set_dead();
    self->worker_ended(*worker);
    worker->notify<"exit">(status);
    self->notify<"exit">(worker->handle(), status);
  });
  // Drops the user's listeners, which may hold the worker.
  child.on<"close">([self, worker] {
    worker->set_dead();
    worker->clear();
    self->remove_worker(*worker);
  });
}

// Ignores a lost handle: a worker that does not answer for a connection is only passed over. If
// nobody listens, throws only the error of a worker that never started: no running worker may end
// its primary.
void Primary::handle_error(WorkerState& worker, Error error) {
  if (error.code() == Errc::handle_lost) return;
  auto& of_worker = worker.list<"error">();
  const bool has_listener = of_worker.count() + list<"error">().count() > 0;
  if (!has_listener && !worker.child().pid()) throw error;
  of_worker.notify(error);
  Worker handle = worker.handle();
  notify<"error">(handle, error);
}

std::map<int, Worker> Primary::workers() const {
  std::map<int, Worker> workers;
  for (const auto& [id, worker] : workers_) {
    if (!worker->voluntary()) workers.emplace(id, worker->handle());
  }
  return workers;
}

// --- messages from a worker

void Primary::handle_message(WorkerState& worker, const json& message) {
  if (!is_cluster_message(message)) return;
  if (const auto number = answered_number(message)) return handle_reply(worker, *number, message);
  const std::string act = text_member(message, "act");
  const std::string key = text_member(message, "key");
  if (act == "online") {
    worker.notify<"online">();
    notify<"online">(worker.handle());
  } else if (act == "queryServer") {
    handle_query(worker, message);
  } else if (act == "listening") {
    handle_listening(worker, message);
  } else if (act == "close") {
    remove_from_socket(worker, key);
  } else if (act == "connectionEnded") {
    if (SharedSocket* const socket = find_socket(key)) socket->connection_ended(worker.id());
  } else if (act == "exitedAfterDisconnect") {
    worker.set_voluntary();
    remove_from_sockets(worker);
    send(worker, reply_to(message));
  }
}

void Primary::handle_listening(WorkerState& worker, const json& message) {
  auto address = listening_address(message);
  if (!address) return;
  worker.notify<"listening">(*address);
  notify<"listening">(worker.handle(), *address);
}

// The reply names no socket, so every socket gets it and looks for a connection of this number.
void Primary::handle_reply(WorkerState& worker, std::uint64_t number, const json& reply) {
  const bool accepted = flag_member(reply, "accepted");
  for (const auto& [key, socket] : sockets_) {
    socket->answered(worker.id(), number, accepted);
  }
}

void Primary::handle_query(WorkerState& worker, const json& message) {
  if (worker.voluntary()) return;
  const auto query = read_query(message);
  if (!query) return refuse(worker, message, "", -EINVAL);
  const auto count = std::count_if(sockets_.begin(), sockets_.end(), [&](const auto& socket) {
    return socket.second->has(worker.id());
  });
  if (static_cast<std::size_t>(count) >= max_sockets_per_worker) {
    return refuse(worker, message, query->key, -EMFILE);
  }
  try {
    grant(worker, message, *query);
  } catch (const Error& error) {
    const auto socket = sockets_.find(query->key);
    if (socket != sockets_.end() && socket->second->remove(worker.id())) sockets_.erase(socket);
    refuse(worker, message, query->key, negated_errno(error.code()));
  }
}

// If one worker asks for the same socket twice, its address is in use.
void Primary::grant(WorkerState& worker, const json& message, const Query& query) {
  SharedSocket& socket = socket_for(query);
  if (socket.has(worker.id())) return refuse(worker, message, query.key, -EADDRINUSE);
  json reply = reply_to(message);
  reply["key"] = query.key;
  reply["data"] = nullptr;
  reply["errno"] = nullptr;
  // The reply is sent before the worker is added: connections may follow at once.
  SharedSocket::Share share = socket.share();
  if (share.descriptor) {
    reply["errno"] = 0;
    reply["seq"] = next_seq_++;
    const bool stream = query.listener.kind == net::ListenerQuery::Kind::stream;
    worker.channel().send(reply, {.type = stream ? "net.Native" : "dgram.Native",
                                  .descriptor = std::move(*share.descriptor)});
  } else {
    if (share.address && share.address->family != Family::unix_path) {
      reply["sockname"] = write_address(*share.address);
    }
    if (settings_.balancing->kind() == Balancing::Kind::least_connections) {
      reply["tellEnded"] = true;
    }
    send(worker, std::move(reply));
  }
  socket.add(worker.id());
}

void Primary::refuse(WorkerState& worker, const json& message, const std::string& key, int error) {
  json reply = reply_to(message);
  reply["errno"] = error;
  reply["key"] = key;
  reply["data"] = nullptr;
  send(worker, std::move(reply));
}

// --- sockets

SharedSocket& Primary::socket_for(const Query& query) {
  if (SharedSocket* const known = find_socket(query.key)) return *known;
  return *sockets_.emplace(query.key, make_socket(query)).first->second;
}

Primary::Socket Primary::make_socket(const Query& query) {
  const Balancing& balancing = *settings_.balancing;
  const bool shared = balancing.kind() == Balancing::Kind::none ||
                      query.listener.kind != net::ListenerQuery::Kind::stream;
  if (shared) return make_single_socket(query);
  if (balancing.kind() == Balancing::Kind::reuse_port) return make_socket_per_worker(query);
  return std::make_unique<Distributor>(
      loop_, bind_for(query), query.listener.backlog, balancing,
      [this, key = query.key](int worker, const base::Descriptor& connection) {
        return send_connection(worker, key, connection);
      },
      [this, key = query.key](const Error& error) { report_broken(key, error); });
}

SharedSocket* Primary::find_socket(const std::string& key) {
  const auto socket = sockets_.find(key);
  return socket == sockets_.end() ? nullptr : socket->second.get();
}

std::optional<std::uint64_t> Primary::send_connection(int id, const std::string& key,
                                                      const base::Descriptor& connection) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end() || !worker->second->channel().connected()) return std::nullopt;
  auto copy = try_duplicate(connection);
  if (!copy) return std::nullopt;
  json request = message("newconn");
  request["key"] = key;
  const std::uint64_t seq = next_seq_++;
  request["seq"] = seq;
  const auto undelivered = [self = shared_from_this(), id, key, seq] {
    if (SharedSocket* const socket = self->find_socket(key)) socket->answered(id, seq, false);
  };
  worker->second->channel().send(
      request, {.type = "net.Native", .descriptor = std::move(*copy), .undelivered = undelivered});
  return seq;
}

// Emits the error for each worker that listens at the socket.
void Primary::report_broken(const std::string& key, const Error& error) {
  const SharedSocket* const socket = find_socket(key);
  for (const auto& [id, state] : workers_) {
    if (socket == nullptr || !socket->has(id)) continue;
    defer(
        [self = shared_from_this(), worker = state, error] { self->handle_error(*worker, error); });
  }
}

std::uint64_t Primary::send(WorkerState& worker, json message) {
  const std::uint64_t seq = next_seq_++;
  message["seq"] = seq;
  worker.channel().send(message);
  return seq;
}

// --- leaving

void Primary::remove_from_socket(WorkerState& worker, const std::string& key) {
  const auto socket = sockets_.find(key);
  if (socket != sockets_.end() && socket->second->has(worker.id()) &&
      socket->second->remove(worker.id())) {
    sockets_.erase(socket);
  }
}

void Primary::remove_from_sockets(WorkerState& worker) {
  std::vector<std::string> keys;
  for (const auto& [key, socket] : sockets_) {
    if (socket->has(worker.id())) keys.push_back(key);
  }
  for (const std::string& key : keys) remove_from_socket(worker, key);
}

// Call this when no connection in flight can reach the worker: the worker has left and closed its
// channel itself, or it is dead. If its channel has ended otherwise, the worker may still read what
// is in flight until it is dead.
void Primary::worker_ended(WorkerState& worker) {
  std::vector<std::string> keys;
  for (const auto& [key, socket] : sockets_) keys.push_back(key);
  for (const std::string& key : keys) {
    if (const auto socket = sockets_.find(key); socket != sockets_.end())
      socket->second->worker_ended(worker.id());
  }
}

void Primary::remove_worker(WorkerState& worker) {
  workers_.erase(worker.id());
  notify_if_all_gone();
}

void Primary::notify_if_all_gone() {
  if (!workers_.empty()) return;
  for (auto& callback : std::exchange(disconnect_callbacks_, {})) {
    defer(std::move(callback));
  }
}

void Primary::disconnect(WorkerState& worker) {
  if (worker.voluntary() || !worker.channel().connected()) return;
  worker.set_voluntary();
  send(worker, message("disconnect"));
  remove_from_sockets(worker);
}

void Primary::kill(WorkerState& worker, int signal) {
  ChildProcess child = worker.child();
  child.kill(signal);
}

void Primary::disconnect_all(Callback<void()> disconnected) {
  if (disconnected) disconnect_callbacks_.push_back(std::move(disconnected));
  for (const auto& [id, worker] : std::map(workers_)) disconnect(*worker);
  notify_if_all_gone();
}

void Primary::loop_closing() noexcept {
  const auto keep = shared_from_this();
  sockets_.clear();
  for (const auto& [id, worker] : std::exchange(workers_, {})) worker->clear();
  disconnect_callbacks_.clear();
  clear();
}

}  // namespace tine::cluster
