#include "net/socket_address.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/system_code.hpp"
#include "tine/error.hpp"

namespace tine {

std::string to_string(const Address& address) {
  switch (address.family) {
    case Family::ipv4: return address.host + ':' + std::to_string(address.port);
    case Family::ipv6: return '[' + address.host + "]:" + std::to_string(address.port);
    case Family::unix_path: break;
  }
  return net::printable(address.host);
}

namespace net {

namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);

template <class T>
T& as(SocketAddress& address) {
  return reinterpret_cast<T&>(address.storage);
}
template <class T>
const T& as(const SocketAddress& address) {
  return reinterpret_cast<const T&>(address.storage);
}

// The index of an interface, given by its name or number; 0 if the text is neither.
std::uint32_t scope_of(const std::string& text) {
  if (const unsigned index = if_nametoindex(text.c_str()); index != 0) return index;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

std::optional<SocketAddress> ipv6_address(const std::string& host, std::uint16_t port) {
  SocketAddress address;
  auto& in6 = as<sockaddr_in6>(address);
  const std::size_t end = std::min(host.find('%'), host.size());
  if (inet_pton(AF_INET6, host.substr(0, end).c_str(), &in6.sin6_addr) != 1) return std::nullopt;
  if (end < host.size()) in6.sin6_scope_id = scope_of(host.substr(end + 1));
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  address.size = sizeof in6;
  return address;
}

std::string ipv6_text(const sockaddr_in6& in6) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
  char name[IF_NAMESIZE];
  if (in6.sin6_scope_id == 0) return text;
  return std::string(text) + '%' +
         (if_indextoname(in6.sin6_scope_id, name) != nullptr ? name
                                                             : std::to_string(in6.sin6_scope_id));
}

// A path may or may not end in a zero byte. An abstract name begins with one, and only the size
// marks its end.
std::string path_text(const SocketAddress& address) {
  if (address.size <= path_offset) return {};
  const char* const path = as<sockaddr_un>(address).sun_path;
  const std::size_t size = address.size - path_offset;
  return {path, path[0] == '\0' ? size : strnlen(path, size)};
}

template <class GetName>
std::optional<Address> ask(int fd, GetName get_name) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (get_name(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.size) < 0) {
    return std::nullopt;
  }
  return to_address(address);
}

}  // namespace

bool has_nul(std::string_view text) { return text.find('\0') != text.npos; }

std::string printable(std::string_view text) {
  std::string printed;
  for (const char byte : text) {
    if (byte == '\0') {
      printed += "\\0";
    } else {
      printed += byte;
    }
  }
  return printed;
}

std::optional<SocketAddress> ip_address(const std::string& host, std::uint16_t port) {
  if (has_nul(host)) return std::nullopt;
  SocketAddress address;
  auto& in = as<sockaddr_in>(address);
  if (inet_pton(AF_INET, host.c_str(), &in.sin_addr) != 1) return ipv6_address(host, port);
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  address.size = sizeof in;
  return address;
}

void verify_path(const std::string& path) {
  if (path.starts_with('\0') || !has_nul(path)) return;
  throw Error(Errc::invalid_argument, "a NUL byte in the path " + printable(path));
}

SocketAddress path_address(const std::string& path) {
  SocketAddress address;
  auto& un = as<sockaddr_un>(address);
  verify_path(path);
  if (path.size() >= sizeof un.sun_path) {
    throw Error(base::system_code(ENAMETOOLONG), printable(path));
  }
  un.sun_family = AF_UNIX;
  path.copy(un.sun_path, path.size());
  const bool abstract = path.starts_with('\0');
  address.size = static_cast<socklen_t>(path_offset + path.size() + (abstract ? 0 : 1));
  return address;
}

std::vector<SocketAddress> ip_addresses(const addrinfo* found, std::uint16_t port) {
  std::vector<SocketAddress> addresses;
  for (; found != nullptr; found = found->ai_next) {
    if (found->ai_family != AF_INET && found->ai_family != AF_INET6) continue;
    SocketAddress& address = addresses.emplace_back();
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.size = found->ai_addrlen;
    if (found->ai_family == AF_INET) {
      as<sockaddr_in>(address).sin_port = htons(port);
    } else {
      as<sockaddr_in6>(address).sin6_port = htons(port);
    }
  }
  return addresses;
}

Address to_address(const SocketAddress& address) {
  switch (address.family()) {
    case AF_INET: {
      const auto& in = as<sockaddr_in>(address);
      char text[INET_ADDRSTRLEN] = {};
      inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
      return {Family::ipv4, text, ntohs(in.sin_port)};
    }
    case AF_INET6: {
      const auto& in6 = as<sockaddr_in6>(address);
      return {Family::ipv6, ipv6_text(in6), ntohs(in6.sin6_port)};
    }
    default: return {Family::unix_path, path_text(address), 0};
  }
}

std::optional<Address> local_address(int fd) { return ask(fd, ::getsockname); }
std::optional<Address> remote_address(int fd) { return ask(fd, ::getpeername); }

}  // namespace net

}  // namespace tine
