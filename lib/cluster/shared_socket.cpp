#include "cluster/shared_socket.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/sockets.hpp"
#include "net/socket_address.hpp"
#include "tine/error.hpp"

namespace tine::cluster {

namespace {

using Kind = net::ListenerQuery::Kind;

bool is_path(const Query& query) {
  return query.listener.address && query.listener.address->family == Family::unix_path;
}

// A path that is too long for an address may be short enough relative to the working directory.
std::string bindable_path(const std::string& path) {
  if (path.size() < sizeof(sockaddr_un::sun_path) || path[0] != '/') return path;
  std::error_code no_folder;
  const auto here = std::filesystem::current_path(no_folder);
  return std::filesystem::path(path).lexically_proximate(here).string();
}

// The worker names the descriptor, so it may be any descriptor of this process. Only sockets of the
// right type that are not connected are given away.
base::Descriptor socket_of_primary(int fd, bool stream) {
  if (base::socket_option(fd, SOL_SOCKET, SO_TYPE) != (stream ? SOCK_STREAM : SOCK_DGRAM) ||
      !net::local_address(fd) || net::remote_address(fd)) {
    throw Error(std::make_error_code(std::errc::invalid_argument), "a descriptor to listen on");
  }
  return net::duplicated_socket(fd);
}

class Members {
 public:
  void add(int worker) { workers_.push_back(worker); }
  bool has(int worker) const {
    return std::find(workers_.begin(), workers_.end(), worker) != workers_.end();
  }
  bool remove(int worker) {
    std::erase(workers_, worker);
    return workers_.empty();
  }

 private:
  std::vector<int> workers_;
};

class SingleSocket final : public SharedSocket {
 public:
  explicit SingleSocket(const Query& query) : bound_(bind_for(query)) {}

  Share share() override { return {.descriptor = net::duplicated_socket(bound_.socket.get())}; }
  void add(int worker) override { members_.add(worker); }
  bool remove(int worker) override { return members_.remove(worker); }
  bool has(int worker) const override { return members_.has(worker); }

 private:
  BoundSocket bound_;
  Members members_;
};

class SocketPerWorker final : public SharedSocket {
 public:
  explicit SocketPerWorker(const Query& query) : query_(query), first_(bind_for(query, true)) {
    const auto bound = net::local_address(first_.socket.get());
    if (!bound) return;
    query_.listener.port = bound->port;
    if (query_.listener.address) query_.listener.address->port = bound->port;
  }

  Share share() override { return {.descriptor = bind_for(query_, true).socket}; }
  void add(int worker) override { members_.add(worker); }
  bool remove(int worker) override { return members_.remove(worker); }
  bool has(int worker) const override { return members_.has(worker); }

 private:
  Query query_;
  BoundSocket first_;  // reserves the port; never listens
  Members members_;
};

}  // namespace

BoundSocket bind_for(const Query& query, bool reuse_port) {
  const net::ListenerQuery& listener = query.listener;
  const bool stream = listener.kind == Kind::stream;
  if (listener.descriptor >= 0) return {nullptr, socket_of_primary(listener.descriptor, stream)};
  const net::SocketOptions options{.type = stream ? SOCK_STREAM : SOCK_DGRAM,
                                   .ipv6_only = listener.ipv6_only,
                                   .reuse_address = listener.reuse_address,
                                   .reuse_port = listener.reuse_port || reuse_port};
  if (is_path(query)) {
    const std::string& path = listener.address->host;
    base::Descriptor socket = net::bound_socket(net::path_address(bindable_path(path)), options);
    return {std::make_unique<net::BoundPath>(path, listener.readable_all, listener.writable_all),
            std::move(socket)};
  }
  if (!listener.address && stream) return {nullptr, net::bound_socket(listener.port, options)};
  const std::string any = listener.kind == Kind::udp6 ? "::" : "0.0.0.0";
  const std::string& host = listener.address ? listener.address->host : any;
  return {nullptr, net::bound_socket(*net::ip_address(host, listener.port), options)};
}

std::unique_ptr<SharedSocket> make_single_socket(const Query& query) {
  return std::make_unique<SingleSocket>(query);
}

std::unique_ptr<SharedSocket> make_socket_per_worker(const Query& query) {
  if (is_path(query)) return make_single_socket(query);
  return std::make_unique<SocketPerWorker>(query);
}

}  // namespace tine::cluster
