#include "cluster/messages.hpp"

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "net/socket_address.hpp"
#include "process/json_members.hpp"

namespace tine::cluster {

using namespace std::string_literals;
using namespace std::string_view_literals;
using nlohmann::json;
using process::flag_member;
using process::member;
using process::number_member;
using process::text_member;
using Kind = net::ListenerQuery::Kind;

namespace {

// The bits of `flags`, as libuv defines them for TCP and for UDP.
constexpr std::int64_t ipv6_only_bit = 1;  // for both
constexpr std::int64_t tcp_reuse_port_bit = 2;
constexpr std::int64_t udp_reuse_address_bit = 4;
constexpr std::int64_t udp_reuse_port_bit = 64;

constexpr int default_backlog = 511;
constexpr std::int64_t max_backlog = 65535;
constexpr int max_errno = 4095;

// Reads a number. A member that is no number counts as `missing`. Returns none if T does not have
// the number.
template <class T>
std::optional<T> read_number(const json& message, const char* name, T missing) {
  if (!member(message, name).is_number()) return missing;
  const auto number = number_member(message, name);
  if (!number || !std::in_range<T>(*number)) return std::nullopt;
  return static_cast<T>(*number);
}

// Node's workers put their directory in front of an abstract name too. It is removed here.
std::string path_of(const json& message) {
  const std::string path = text_member(message, "address");
  const std::size_t name = path.starts_with('/') ? path.find("/\0"s) : path.npos;
  return name == path.npos ? path : path.substr(name + 1);
}

bool is_path(const json& message) { return member(message, "addressType") == -1; }

// One part of a key, in the text form that Node gives it.
std::string key_part(const json& message, const char* name) {
  if (name == "address"sv && is_path(message)) return path_of(message);
  const auto found = message.find(name);
  if (found == message.end()) return "undefined";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string key_of(const json& message) {
  std::string key;
  for (const char* name : {"address", "port", "addressType", "fd"}) {
    if (!key.empty()) key += ':';
    key += key_part(message, name);
  }
  if (member(message, "port") == 0) key.append(":").append(key_part(message, "index"));
  return key;
}

// Reads where to bind; false if the message names no valid place.
bool read_bind_address(const json& message, net::ListenerQuery& query) {
  if (is_path(message)) {
    query.address = Address{Family::unix_path, path_of(message), 0};
    return !query.address->host.empty();
  }
  const std::string host = text_member(message, "address");
  const auto port = read_number<std::uint16_t>(message, "port", 0);
  if (!port) return false;
  query.port = *port;
  if (host.empty()) return member(message, "address").is_null();
  const auto address = net::ip_address(host, query.port);
  if (!address) return false;
  query.address = net::to_address(*address);
  return true;
}

std::int64_t flags_of(const net::ListenerQuery& query) {
  const std::int64_t ipv6_only = query.ipv6_only ? ipv6_only_bit : 0;
  if (query.kind == Kind::stream) return ipv6_only | (query.reuse_port ? tcp_reuse_port_bit : 0);
  return ipv6_only | (query.reuse_address ? udp_reuse_address_bit : 0) |
         (query.reuse_port ? udp_reuse_port_bit : 0);
}

void read_flags(std::int64_t flags, net::ListenerQuery& query) {
  const bool udp = query.kind != Kind::stream;
  query.ipv6_only = (flags & ipv6_only_bit) != 0;
  query.reuse_address = udp && (flags & udp_reuse_address_bit) != 0;
  query.reuse_port = (flags & (udp ? udp_reuse_port_bit : tcp_reuse_port_bit)) != 0;
}

// A query for a descriptor has no address type.
std::optional<Kind> read_kind(const json& message, int descriptor) {
  const json& type = member(message, "addressType");
  if (type.is_null() && descriptor >= 0) return Kind::stream;
  if (type == "udp4") return Kind::udp4;
  if (type == "udp6") return Kind::udp6;
  return type == 4 || type == 6 || type == -1 ? std::optional(Kind::stream) : std::nullopt;
}

json address_type(const net::ListenerQuery& query) {
  if (query.kind != Kind::stream) return query.kind == Kind::udp4 ? "udp4" : "udp6";
  if (query.descriptor >= 0) return nullptr;
  if (!query.address) return 4;
  switch (query.address->family) {
    case Family::ipv4: return 4;
    case Family::ipv6: return 6;
    case Family::unix_path: break;
  }
  return -1;
}

// Resolves a relative path against the directory of this process. An abstract name, which begins
// with a zero byte, stays as it is.
std::string absolute_path(const std::string& path) {
  if (path.empty() || path[0] == '\0') return path;
  std::error_code no_folder;
  const std::string absolute = std::filesystem::absolute(path, no_folder).string();
  return no_folder ? path : absolute;
}

json address_of(const net::ListenerQuery& query) {
  if (!query.address) return nullptr;
  const bool path = query.address->family == Family::unix_path;
  return path ? absolute_path(query.address->host) : query.address->host;
}

}  // namespace

json message(const char* act) { return {{"cmd", "NODE_CLUSTER"}, {"act", act}}; }

json reply_to(const json& message) {
  return {{"cmd", "NODE_CLUSTER"}, {"ack", member(message, "seq")}};
}

bool is_cluster_message(const json& message) { return member(message, "cmd") == "NODE_CLUSTER"; }

std::optional<std::uint64_t> answered_number(const json& message) {
  const auto number = number_member(message, "ack");
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

int read_error(const json& reply) {
  const auto number = read_number<int>(reply, "errno", 0);
  return number && *number >= -max_errno && *number <= 0 ? -*number : EINVAL;
}

std::optional<Query> read_query(const json& message) {
  const auto descriptor = read_number<int>(message, "fd", -1);
  if (!descriptor) return std::nullopt;
  const auto kind = read_kind(message, *descriptor);
  if (!kind) return std::nullopt;
  Query query;
  query.listener.kind = *kind;
  query.key = key_of(message);
  query.listener.descriptor = *descriptor;
  if (*descriptor < 0 && !read_bind_address(message, query.listener)) return std::nullopt;
  read_flags(number_member(message, "flags").value_or(0), query.listener);
  const auto backlog = number_member(message, "backlog").value_or(0);
  const bool use_default = backlog <= 0 || backlog > max_backlog;
  query.listener.backlog = use_default ? default_backlog : static_cast<int>(backlog);
  query.listener.readable_all = flag_member(message, "readableAll");
  query.listener.writable_all = flag_member(message, "writableAll");
  return query;
}

json query_members(const net::ListenerQuery& query, std::int64_t index) {
  const bool path = query.address && query.address->family == Family::unix_path;
  const bool descriptor = query.descriptor >= 0;
  json members{{"index", index},
               {"data", nullptr},
               {"address", address_of(query)},
               {"port", descriptor ? json() : json(path ? -1 : int{query.port})},
               {"addressType", address_type(query)},
               {"backlog", query.backlog},
               {"flags", flags_of(query)}};
  if (descriptor || query.kind != Kind::stream) members["fd"] = query.descriptor;
  if (query.readable_all) members["readableAll"] = true;
  if (query.writable_all) members["writableAll"] = true;
  return members;
}

std::optional<Address> listening_address(const json& message) {
  if (is_path(message)) return Address{Family::unix_path, path_of(message), 0};
  const std::string host = text_member(message, "address");
  const json& type = member(message, "addressType");
  const bool ipv6 = type == 6 || type == "udp6" || host.find(':') != host.npos;
  const auto port = read_number<std::uint16_t>(message, "port", 0);
  if (!port) return std::nullopt;
  return Address{ipv6 ? Family::ipv6 : Family::ipv4, host, *port};
}

json write_address(const Address& address) {
  return {{"address", address.host},
          {"family", address.family == Family::ipv6 ? "IPv6" : "IPv4"},
          {"port", address.port}};
}

std::optional<Address> read_address(const json& message) {
  const auto port = number_member(message, "port");
  if (!port || !std::in_range<std::uint16_t>(*port)) return std::nullopt;
  const auto address =
      net::ip_address(text_member(message, "address"), static_cast<std::uint16_t>(*port));
  return address ? std::optional(net::to_address(*address)) : std::nullopt;
}

}  // namespace tine::cluster
