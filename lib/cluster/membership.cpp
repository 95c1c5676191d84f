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
#include "process/json_members.hpp"

namespace tine::cluster {

using nlohmann::json;
using process::flag_member;
using process::text_member;
using Kind = net::ListenerQuery::Kind;

namespace {

// Returns the name of a query's group. Queries for the same address, port and type are one group,
// and get different indexes.
std::string group_of(const json& members) {
  return members["address"].dump() + members["port"].dump() + members["addressType"].dump();
}

std::optional<base::Descriptor> descriptor_of(const Handle& handle) {
  auto* const received = process::HandleContent::untouched(handle);
  return received == nullptr ? std::nullopt : std::optional(received->take());
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
  Lease(std::weak_ptr<Membership> membership, std::string key, std::string group)
      : membership_(std::move(membership)), key_(std::move(key)), group_(std::move(group)) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (const auto membership = membership_.lock()) membership->release(key_, group_);
  }

 private:
  std::weak_ptr<Membership> membership_;
  std::string key_;
  std::string group_;
};

Membership::Membership(Process& process, std::shared_ptr<WorkerState> worker)
    : process_(process), worker_(std::move(worker)) {}

// The listeners keep this alive: the Process may outlive the Cluster, and is a worker's until it ends.
void Membership::join() {
  const auto self = shared_from_this();
  worker_->set_delegate(self);
  process::Access::route_internal(process_, [self](const json& message, const Handle& handle) {
    self->handle_message(message, handle);
    return true;
  });
  process_.on<"message">([worker = worker_](Message& message) { worker->emit_message(message); });
  process_.on<"error">([self](const Error& error) { self->handle_error(error); });
  process_.on<"disconnect">([self] { self->handle_disconnect(); });
  send(message("online"));
}

// Throws the error if nobody else listens for errors, unless the channel to the primary is closed.
void Membership::handle_error(Error error) {
  auto& listeners = worker_->list<"error">();
  const bool has_listener = listeners.count() > 0 || process_.listener_count<"error">() > 1;
  if (!has_listener && worker_->channel().connected()) throw error;
  listeners.notify(error);
}

std::uint64_t Membership::send(json message) {
  const std::uint64_t seq = next_seq_++;
  message["seq"] = seq;
  worker_->channel().send(message);
  return seq;
}

// --- sockets

void Membership::find(const net::ListenerQuery& query, std::weak_ptr<net::ListenerUser> user,
                      Answered answered) {
  // A worker that leaves gets no answer from the primary. The user is closed, as it would have been
  // if it had asked before.
  if (worker_->voluntary()) return close_later(user);
  json members = query_members(query, 0);
  QueryGroup& group = query_groups_[group_of(members)];
  ++group.open;
  members["index"] = group.next_index++;
  json request = message("queryServer");
  request.update(members);
  const std::uint64_t seq = send(std::move(request));
  pending_users_[seq] = user;
  reply_handlers_[seq] = [=, this, members = std::move(members)](const json& reply,
                                                                 const Handle& handle) {
    pending_users_.erase(seq);
    handle_query_reply(members, query, user, answered, reply, handle);
  };
}

void Membership::handle_query_reply(const json& members, const net::ListenerQuery& query,
                                    const std::weak_ptr<net::ListenerUser>& user,
                                    const Answered& answered, const json& reply,
                                    const Handle& handle) {
  const std::string key = text_member(reply, "key");
  net::ListenerAnswer answer;
  answer.error = read_error(reply);
  answer.descriptor = descriptor_of(handle);
  const bool shared = answer.descriptor.has_value();
  if (shared && query.kind == Kind::stream) answer.error = listen_on(*answer.descriptor, query);
  // If the answer is not taken, the lease gives the socket back.
  answer.lease = std::make_shared<Lease>(weak_from_this(), answer.error == 0 || shared ? key : "",
                                         group_of(members));
  if (answer.error != 0) return answered(std::move(answer));

  if (shared) {
    answer.address = net::local_address(answer.descriptor->get());
  } else if (const auto name = reply.find("sockname"); name != reply.end() && name->is_object()) {
    answer.address = read_address(*name);
  } else {
    answer.address = query.address;
  }
  users_[key] = user;
  if (flag_member(reply, "tellEnded")) {
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
  worker_->channel().defer([user] {
    if (const auto one = user.lock()) one->close({});
  });
}

void Membership::release(const std::string& key, const std::string& group) {
  const auto queries = query_groups_.find(group);
  if (queries != query_groups_.end() && --queries->second.open == 0) query_groups_.erase(queries);
  if (key.empty()) return;
  users_.erase(key);
  json closed = message("close");
  closed["key"] = key;
  send(std::move(closed));
}

// --- messages from the primary

void Membership::handle_message(const json& message, const Handle& handle) {
  if (!is_cluster_message(message)) return;
  if (const auto number = answered_number(message)) {
    const auto handler = reply_handlers_.extract(*number);
    if (handler) handler.mapped()(message, handle);
  } else if (text_member(message, "act") == "newconn") {
    handle_connection(message, handle);
  } else if (text_member(message, "act") == "disconnect") {
    worker_->set_voluntary();
    close_users([self = shared_from_this()] { self->disconnect_channel(); });
  }
}

// Replies to every connection, whether it is taken or not. If no answer can be sent, the connection is not
// taken: the primary gives it to another worker.
void Membership::handle_connection(const json& message, const Handle& handle) {
  const auto user = users_.find(text_member(message, "key"));
  const auto server = user == users_.end() ? nullptr : user->second.lock();
  auto connection = descriptor_of(handle);
  if (!worker_->channel().connected()) return;
  json reply = reply_to(message);
  reply["accepted"] = server && connection && server->accepted(*connection);
  send(std::move(reply));
}

// --- leaving

// Closes all users, and calls `closed` when their connections have ended. Closes users that still
// ask for a socket too: they may never get a reply.
void Membership::close_users(std::function<void()> closed) {
  const auto waiting = std::make_shared<std::size_t>(1);
  const auto one_closed = [waiting, closed = std::move(closed)] {
    if (--*waiting == 0) closed();
  };
  std::vector<std::weak_ptr<net::ListenerUser>> users;
  for (const auto& [key, user] : users_) users.push_back(user);
  for (const auto& [seq, user] : pending_users_) users.push_back(user);
  for (const auto& weak : users) {
    if (const auto user = weak.lock()) {
      ++*waiting;
      user->close(one_closed);
    }
  }
  worker_->channel().defer(one_closed);
}

// Disconnects when the primary has acknowledged that the worker leaves: until then the primary would
// take the disconnect for a crash.
void Membership::announce_leaving() {
  worker_->set_voluntary();
  const std::uint64_t seq = send(message("exitedAfterDisconnect"));
  reply_handlers_[seq] = [this](const json&, const Handle&) { disconnect_channel(); };
}

// The channel may be closed by now: the primary has gone, or has asked twice.
void Membership::disconnect_channel() {
  if (worker_->channel().connected()) worker_->channel().disconnect();
}

void Membership::disconnect(WorkerState& worker) {
  if (worker.voluntary() || !worker_->channel().connected()) return;
  worker.set_voluntary();
  close_users([self = shared_from_this()] { self->announce_leaving(); });
}

// Exits however the channel ends: the primary may be gone before it knows that the worker leaves.
void Membership::kill(WorkerState&, int) {
  if (!worker_->channel().connected()) std::exit(0);
  process_.on<"disconnect">([] { std::exit(0); });
  announce_leaving();
}

// If the primary has gone without asking the worker to leave, nothing is left to do.
void Membership::handle_disconnect() {
  worker_->notify<"disconnect">();
  if (!worker_->voluntary()) std::exit(0);
}

}  // namespace tine::cluster
