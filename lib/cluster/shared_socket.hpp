#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "cluster/messages.hpp"
#include "net/bound_socket.hpp"
#include "tine/address.hpp"
#include "tine/cluster.hpp"
#include "uv/descriptor.hpp"

namespace tine::cluster {

// A socket that workers asked for, known by its key. It goes with the last of them.
class SharedSocket {
 public:
  // What a worker gets: a descriptor to listen on by itself, or connections.
  struct Given {
    std::optional<uv::Descriptor> descriptor = {};
    std::optional<Address> address = {};
  };

  virtual ~SharedSocket() = default;

  // What the next worker gets, which is to be added then. Throws Error.
  virtual Given give() = 0;
  virtual void add(int worker) = 0;
  // The worker gets no more. Whether none is left.
  virtual bool remove(int worker) = 0;
  // The worker has ended, or has closed its channel: what is under way to it will not arrive.
  virtual void ended(int) {}
  virtual bool has(int worker) const = 0;
};

// Bound as a query says; a path is removed with it.
struct BoundSocket {
  std::unique_ptr<net::BoundPath> path;
  uv::Descriptor socket;
};

// Throws Error.
BoundSocket bind_for(const Query& query, bool reuse_port = false);

// One that all workers listen on. Throws Error.
std::unique_ptr<SharedSocket> share_one(const Query& query);
// One for each worker, at the same port. Throws Error.
std::unique_ptr<SharedSocket> share_port(const Query& query);

}  // namespace tine::cluster
