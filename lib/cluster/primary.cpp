#include "cluster/primary.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "cluster/settings.hpp"
#include "process/access.hpp"
#include "process/program.hpp"

namespace tine::cluster {

namespace {

using nlohmann::json;

// A worker that asks for more sockets is broken.
constexpr std::size_t most_sockets_of_a_worker = 1000;

std::optional<base::Descriptor> try_duplicate(const base::Descriptor& socket) {
  try {
    return net::duplicated_socket(socket.get());
  } catch (const Error&) {
    return std::nullopt;
  }
}

// The number of an error as Node sends it: a negated errno.
int number_of(const std::error_code& error) {
  const bool system = error.category() == std::generic_category();
  return system ? -error.value() : -EINVAL;
}

}  // namespace

// --- starting workers

void Primary::setup(const ClusterSettings& given) {
  set_up_ = true;
  merge(settings_, given);
  if (!settings_.balancing) settings_.balancing = balancing_of_environment();
  core()->defer([self = shared_from_this()] { self->notify<"setup">(); });
}

Worker Primary::fork(const std::map<std::string, std::optional<std::string>>& env) {
  if (!set_up_) setup({});
  const int id = ++last_id_;
  const auto program = settings_.exec.empty() ? process::program_path() : settings_.exec;
  const ChildProcess child =
      process::Access::fork_worker(*core(), program, worker_options(settings_, env, id), id);
  const auto worker = std::make_shared<WorkerState>(id, process::Access::channel_of(child), child);
  worker->set_side(std::static_pointer_cast<Side>(shared_from_this()));
  workers_.emplace(id, worker);
  follow(worker);
  core()->defer([self = shared_from_this(), worker] { self->notify<"fork">(worker->handle()); });
  return worker->handle();
}

// The listeners keep the worker and this alive. They are dropped with the child's "close".
void Primary::follow(const std::shared_ptr<WorkerState>& worker) {
  const auto self = shared_from_this();
  ChildProcess child = worker->child();
  process::Access::on_internal(
      child, [self, worker](const json& message, const Handle&) { self->said(*worker, message); });
  child.on<"message">([self, worker](Message& message) {
    if (self->list<"message">().count() == 0) return worker->tell(message);
    json copy = message.value();  // the worker's last listener may move the value out
    worker->tell(message);
    self->notify<"message">(worker->handle(), std::move(copy), Handle(message.handle()));
  });
  child.on<"error">([self, worker](const Error& error) { self->failed(*worker, error); });
  child.on<"disconnect">([self, worker] {
    self->forget(*worker);
    if (worker->voluntary()) self->ended(*worker);
    worker->notify<"disconnect">();
    self->notify<"disconnect">(worker->handle());
  });
  child.on<"exit">([self, worker](ExitStatus status) {
    worker->has_died();
    self->ended(*worker);
    worker->notify<"exit">(status);
    self->notify<"exit">(worker->handle(), status);
  });
  // Drops the user's listeners, which may hold the worker, and the internal handler, which holds
  // this.
  child.on<"close">([self, worker] {
    worker->has_died();
    process::Access::on_internal(worker->child(), nullptr);
    worker->clear();
    self->gone(*worker);
  });
}

// Ignores a lost handle: a worker that does not answer for a connection is only passed over. If
// nobody listens, throws only the error of a worker that never started: no running worker may end
// its primary.
void Primary::failed(WorkerState& worker, Error error) {
  if (error.code() == Errc::handle_lost) return;
  auto& of_worker = worker.list<"error">();
  const bool heard = of_worker.count() + list<"error">().count() > 0;
  if (!heard && !worker.child().pid()) throw error;
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

void Primary::said(WorkerState& worker, const json& message) {
  if (!is_cluster_message(message)) return;
  if (const auto answered = number_member(message, "ack")) {
    const auto taken = message.find("accepted");
    const bool accepted = taken != message.end() && taken->is_boolean() && taken->get<bool>();
    for (const auto& [key, socket] : sockets_) {
      socket->answered(worker.id(), static_cast<std::uint64_t>(*answered), accepted);
    }
    return;
  }
  const std::string act = text_member(message, "act");
  const std::string key = text_member(message, "key");
  if (act == "online") {
    worker.notify<"online">();
    notify<"online">(worker.handle());
  } else if (act == "queryServer") {
    query(worker, message);
  } else if (act == "listening") {
    Address address = listening_address(message);
    worker.notify<"listening">(address);
    notify<"listening">(worker.handle(), address);
  } else if (act == "close") {
    forget(worker, key);
  } else if (act == "connectionEnded") {
    if (SharedSocket* const socket = find_socket(key)) socket->connection_ended(worker.id());
  } else if (act == "exitedAfterDisconnect") {
    worker.leaves_voluntarily();
    forget(worker);
    send(worker, reply_to(message));
  }
}

void Primary::query(WorkerState& worker, const json& message) {
  if (worker.voluntary()) return;
  const auto query = read_query(message);
  if (!query) return refuse(worker, message, "", -EINVAL);
  const auto asked_for = std::count_if(sockets_.begin(), sockets_.end(), [&](const auto& socket) {
    return socket.second->has(worker.id());
  });
  if (static_cast<std::size_t>(asked_for) >= most_sockets_of_a_worker) {
    return refuse(worker, message, query->key, -EMFILE);
  }
  try {
    grant(worker, message, *query);
  } catch (const Error& error) {
    const auto socket = sockets_.find(query->key);
    if (socket != sockets_.end() && socket->second->remove(worker.id())) sockets_.erase(socket);
    refuse(worker, message, query->key, number_of(error.code()));
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
  SharedSocket::Given given = socket.give();
  if (given.descriptor) {
    reply["errno"] = 0;
    reply["seq"] = next_number_++;
    const bool stream = query.listener.kind == net::ListenerQuery::Kind::stream;
    worker.channel().send(reply, {.type = stream ? "net.Native" : "dgram.Native",
                                  .descriptor = std::move(*given.descriptor)});
  } else {
    if (given.address && given.address->family != Family::unix_path) {
      reply["sockname"] = write_address(*given.address);
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
  if (shared) return share_one(query);
  if (balancing.kind() == Balancing::Kind::reuse_port) return share_port(query);
  return std::make_unique<Distributor>(
      *core(), bind_for(query), query.listener.backlog, balancing,
      [this, key = query.key](int worker, const base::Descriptor& connection) {
        return hand(worker, key, connection);
      });
}

SharedSocket* Primary::find_socket(const std::string& key) {
  const auto socket = sockets_.find(key);
  return socket == sockets_.end() ? nullptr : socket->second.get();
}

std::optional<std::uint64_t> Primary::hand(int id, const std::string& key,
                                           const base::Descriptor& connection) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end() || !worker->second->channel().connected()) return std::nullopt;
  auto copy = try_duplicate(connection);
  if (!copy) return std::nullopt;
  json said = message("newconn");
  said["key"] = key;
  const std::uint64_t number = next_number_++;
  said["seq"] = number;
  const auto undelivered = [self = shared_from_this(), id, key, number] {
    if (SharedSocket* const socket = self->find_socket(key)) socket->answered(id, number, false);
  };
  worker->second->channel().send(
      said, {.type = "net.Native", .descriptor = std::move(*copy), .undelivered = undelivered});
  return number;
}

std::uint64_t Primary::send(WorkerState& worker, json message) {
  const std::uint64_t number = next_number_++;
  message["seq"] = number;
  worker.channel().send(message);
  return number;
}

// --- leaving

void Primary::forget(WorkerState& worker, const std::string& key) {
  const auto socket = sockets_.find(key);
  if (socket != sockets_.end() && socket->second->has(worker.id()) &&
      socket->second->remove(worker.id())) {
    sockets_.erase(socket);
  }
}

void Primary::forget(WorkerState& worker) {
  std::vector<std::string> keys;
  for (const auto& [key, socket] : sockets_) {
    if (socket->has(worker.id())) keys.push_back(key);
  }
  for (const std::string& key : keys) forget(worker, key);
}

// To be called when nothing that is under way can reach the worker: it has left and closed its
// channel itself, or it is dead. A worker whose channel has ended otherwise may still read what is
// under way until it is dead.
void Primary::ended(WorkerState& worker) {
  std::vector<std::string> keys;
  for (const auto& [key, socket] : sockets_) keys.push_back(key);
  for (const std::string& key : keys) {
    if (const auto socket = sockets_.find(key); socket != sockets_.end())
      socket->second->ended(worker.id());
  }
}

void Primary::gone(WorkerState& worker) {
  workers_.erase(worker.id());
  tell_if_all_are_gone();
}

void Primary::tell_if_all_are_gone() {
  if (!workers_.empty()) return;
  for (auto& told : std::exchange(disconnected_, {})) core()->defer(std::move(told));
}

void Primary::disconnect(WorkerState& worker) {
  if (worker.voluntary() || !worker.channel().connected()) return;
  worker.leaves_voluntarily();
  send(worker, message("disconnect"));
  forget(worker);
}

void Primary::kill(WorkerState& worker, int signal) {
  ChildProcess child = worker.child();
  child.kill(signal);
}

void Primary::disconnect_all(std::function<void()> disconnected) {
  if (disconnected) disconnected_.push_back(std::move(disconnected));
  for (const auto& [id, worker] : std::map(workers_)) disconnect(*worker);
  tell_if_all_are_gone();
}

void Primary::loop_closing() noexcept {
  const auto keep = shared_from_this();
  sockets_.clear();
  for (const auto& [id, worker] : std::exchange(workers_, {})) worker->clear();
  disconnected_.clear();
  clear();
}

}  // namespace tine::cluster
