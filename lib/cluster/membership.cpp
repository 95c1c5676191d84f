#include "cluster/membership.hpp"

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "base/descriptor.hpp"
#include "net/socket_address.hpp"
#include "process/access.hpp"
#include "process/handle_content.hpp"

namespace tine::cluster {

using nlohmann::json;
using Kind = net::ListenerQuery::Kind;

namespace {

constexpr int most_errno = 4095;

// The members by which queries are grouped: queries that agree in them get different indexes.
std::string looks_of(const json& members) {
  return members["address"].dump() + members["port"].dump() + members["addressType"].dump();
}

// Returns 0 or an errno. The primary sends it negated, and may send anything.
int error_of(const json& reply) {
  const auto number = number_member(reply, "errno").value_or(0);
  return number < -most_errno || number > 0 ? EINVAL : static_cast<int>(-number);
}

std::optional<base::Descriptor> descriptor_of(const Handle& handle) {
  auto* const came = process::HandleContent::untouched(handle);
  return came == nullptr ? std::nullopt : std::optional(came->take());
}

// Listens on a socket that the primary has bound. Returns 0 or an errno. If the address is in use,
// Node passes a socket that is not bound, which listen() would bind to any port.
int listen_on(const base::Descriptor& socket, const net::ListenerQuery& query) {
  const auto bound = net::local_address(socket.get());
  if (query.port != 0 && bound && bound->port != query.port) return EADDRINUSE;
  return ::listen(socket.get(), query.backlog) < 0 ? errno : 0;
}

}  // namespace

// Held by a server or a datagram socket while it is open. Its destructor notifies the primary.
class Membership::Lease {
 public:
  Lease(std::weak_ptr<Membership> membership, std::string key, std::string alike)
      : membership_(std::move(membership)), key_(std::move(key)), alike_(std::move(alike)) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (const auto membership = membership_.lock()) membership->given_back(key_, alike_);
  }

 private:
  std::weak_ptr<Membership> membership_;
  std::string key_;
  std::string alike_;
};

Membership::Membership(uv::LoopCore& core, Process& process, std::shared_ptr<WorkerState> worker)
    : core_(core), process_(process), worker_(std::move(worker)) {}

// The listeners keep this alive: the Process may outlive the Cluster, and is a worker's until it ends.
void Membership::join() {
  const auto self = shared_from_this();
  worker_->set_side(self);
  process::Access::on_internal(
      process_, [self](const json& message, const Handle& handle) { self->said(message, handle); });
  process_.on<"message">([worker = worker_](Message& message) { worker->tell(message); });
  process_.on<"error">([self](const Error& error) { self->failed(error); });
  process_.on<"disconnect">([self] { self->disconnected(); });
  send(message("online"));
}

// Throws the error if nobody else listens for errors, unless the channel to the primary is closed.
void Membership::failed(Error error) {
  auto& listeners = worker_->list<"error">();
  const bool heard = listeners.count() > 0 || process_.listener_count<"error">() > 1;
  if (!heard && worker_->channel().connected()) throw error;
  listeners.notify(error);
}

std::uint64_t Membership::send(json message) {
  const std::uint64_t number = next_number_++;
  message["seq"] = number;
  worker_->channel().send(message);
  return number;
}

// --- sockets

void Membership::find(const net::ListenerQuery& query, std::weak_ptr<net::ListenerUser> user,
                      Answered answered) {
  // A worker that leaves gets no answer from the primary. The user is closed, as it would have been
  // if it had asked before.
  if (worker_->voluntary()) return close_later(user);
  json members = query_members(query, 0);
  const std::string alike = looks_of(members);
  Alike& all = alike_[alike];
  ++all.open;
  members["index"] = all.next++;
  json asked = message("queryServer");
  asked.update(members);
  const std::uint64_t number = send(std::move(asked));
  asking_[number] = user;
  awaited_[number] = [=, this, members = std::move(members)](const json& reply,
                                                             const Handle& handle) {
    asking_.erase(number);
    granted(members, query, user, answered, reply, handle);
  };
}

void Membership::granted(const json& members, const net::ListenerQuery& query,
                         const std::weak_ptr<net::ListenerUser>& user, const Answered& answered,
                         const json& reply, const Handle& handle) {
  const std::string key = text_member(reply, "key");
  net::ListenerAnswer answer;
  answer.error = error_of(reply);
  answer.descriptor = descriptor_of(handle);
  const bool shared = answer.descriptor.has_value();
  if (shared && query.kind == Kind::stream) answer.error = listen_on(*answer.descriptor, query);
  // If the answer is not taken, the lease gives the socket back.
  answer.lease = std::make_shared<Lease>(weak_from_this(), answer.error == 0 || shared ? key : "",
                                         looks_of(members));
  if (answer.error != 0) return answered(std::move(answer));

  if (shared) {
    answer.address = net::local_address(answer.descriptor->get());
  } else if (const auto name = reply.find("sockname"); name != reply.end() && name->is_object()) {
    answer.address = read_address(*name);
  } else {
    answer.address = query.address;
  }
  users_[key] = user;
  if (reply.value("tellEnded", json()) == true) {
    answer.connection_ended = [weak = weak_from_this(), key] {
      const auto self = weak.lock();
      if (!self) return;
      json ended = message("connectionEnded");
      ended["key"] = key;
      self->send(std::move(ended));
    };
  }
  json listening = message("listening");
  listening.update(members);
  if (answer.address && answer.address->family != Family::unix_path) {
    listening["port"] = answer.address->port;
  }
  answered(std::move(answer));
  send(std::move(listening));
}

void Membership::close_later(const std::weak_ptr<net::ListenerUser>& user) {
  core_.defer([user] {
    if (const auto one = user.lock()) one->close({});
  });
}

void Membership::given_back(const std::string& key, const std::string& alike) {
  const auto all = alike_.find(alike);
  if (all != alike_.end() && --all->second.open == 0) alike_.erase(all);
  if (key.empty()) return;
  users_.erase(key);
  json closed = message("close");
  closed["key"] = key;
  send(std::move(closed));
}

// --- messages from the primary

void Membership::said(const json& message, const Handle& handle) {
  if (!is_cluster_message(message)) return;
  if (const auto number = number_member(message, "ack")) {
    const auto replied = awaited_.extract(static_cast<std::uint64_t>(*number));
    if (replied) replied.mapped()(message, handle);
  } else if (text_member(message, "act") == "newconn") {
    connection_came(message, handle);
  } else if (text_member(message, "act") == "disconnect") {
    worker_->leaves_voluntarily();
    leave([self = shared_from_this()] { self->cut(); });
  }
}

// Every connection is answered for, taken or not. If no answer can be sent, the connection is not
// taken: the primary gives it to another worker.
void Membership::connection_came(const json& message, const Handle& handle) {
  const auto user = users_.find(text_member(message, "key"));
  const auto server = user == users_.end() ? nullptr : user->second.lock();
  auto connection = descriptor_of(handle);
  if (!worker_->channel().connected()) return;
  json reply = reply_to(message);
  reply["accepted"] = server && connection && server->accepted(*connection);
  send(std::move(reply));
}

// --- leaving

// Closes all users, and calls `left` when their connections have ended. Closes users that still ask
// for a socket too: they may never get an answer.
void Membership::leave(std::function<void()> left) {
  const auto waiting = std::make_shared<std::size_t>(1);
  const auto one_less = [waiting, left = std::move(left)] {
    if (--*waiting == 0) left();
  };
  std::vector<std::weak_ptr<net::ListenerUser>> users;
  for (const auto& [key, user] : users_) users.push_back(user);
  for (const auto& [number, user] : asking_) users.push_back(user);
  for (const auto& weak : users) {
    if (const auto user = weak.lock()) {
      ++*waiting;
      user->close(one_less);
    }
  }
  core_.defer(one_less);
}

// Disconnects when the primary knows.
void Membership::tell_primary_that_we_leave() {
  worker_->leaves_voluntarily();
  const std::uint64_t number = send(message("exitedAfterDisconnect"));
  awaited_[number] = [this](const json&, const Handle&) { cut(); };
}

// The channel may be closed by now: the primary has gone, or has asked twice.
void Membership::cut() {
  if (worker_->channel().connected()) worker_->channel().disconnect();
}

void Membership::disconnect(WorkerState& worker) {
  if (worker.voluntary() || !worker_->channel().connected()) return;
  worker.leaves_voluntarily();
  leave([self = shared_from_this()] { self->tell_primary_that_we_leave(); });
}

// Exits however the channel ends: the primary may be gone before it knows that the worker leaves.
void Membership::kill(WorkerState&, int) {
  if (!worker_->channel().connected()) std::exit(0);
  process_.on<"disconnect">([] { std::exit(0); });
  tell_primary_that_we_leave();
}

// If the primary has gone without asking the worker to leave, nothing is left to do.
void Membership::disconnected() {
  worker_->notify<"disconnect">();
  if (!worker_->voluntary()) std::exit(0);
}

}  // namespace tine::cluster
