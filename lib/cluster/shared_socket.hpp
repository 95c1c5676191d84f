#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/descriptor.hpp"
#include "cluster/messages.hpp"
#include "net/bound_socket.hpp"
#include "tine/address.hpp"
#include "tine/cluster.hpp"

namespace tine::cluster {

// A socket that workers asked for, known by its key. It is destroyed when the last of them has
// left.
class SharedSocket {
 public:
  // The share of a worker: a descriptor to listen on by itself, or else connections.
  struct Share {
    std::optional<base::Descriptor> descriptor = {};
    std::optional<Address> address = {};
  };

  virtual ~SharedSocket() = default;

  // Returns what the next worker gets; add() must follow. Throws Error.
  virtual Share share() = 0;
  virtual void add(int worker) = 0;
  // Removes a worker, which gets no more. Returns whether no worker is left.
  virtual bool remove(int worker) = 0;
  // The worker has ended, or has closed its channel: nothing in flight will reach it.
  virtual void worker_ended(int) {}
  virtual bool has(int worker) const = 0;

  // The functions below are for sockets whose connections the primary accepts.

  // Handles a worker's answer for the connection that was sent under this number. A connection that
  // did not reach the worker, and never will, counts as not accepted. Ignores other numbers.
  virtual void answered(int /*worker*/, std::uint64_t /*number*/, bool /*accepted*/) {}
  // The worker reports that one of its connections has ended.
  virtual void connection_ended(int /*worker*/) {}
};

// A socket bound for a query. Its path, if any, is removed when this is destroyed.
struct BoundSocket {
  std::unique_ptr<net::BoundPath> path;
  base::Descriptor socket;
};

// Binds a socket for a query, or duplicates the descriptor that the query names. Throws Error.
BoundSocket bind_for(const Query& query, bool reuse_port = false);

// Binds one socket on which all workers listen. Throws Error.
std::unique_ptr<SharedSocket> make_single_socket(const Query& query);
// Binds a socket for each worker, all at the same port; for a path, one socket for all. Throws
// Error.
std::unique_ptr<SharedSocket> make_socket_per_worker(const Query& query);

}  // namespace tine::cluster
