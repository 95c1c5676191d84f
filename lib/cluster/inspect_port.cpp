#include "cluster/inspect_port.hpp"

#include <charconv>

namespace tine::cluster {

namespace {

constexpr int default_port = 9229;
constexpr int first_port = 1024;
constexpr int last_port = 65535;

// The port of "[host:]port"; none if that is no port.
std::optional<int> port_of(std::string_view where) {
  where.remove_prefix(where.rfind(':') + 1);
  int port = 0;
  const auto [end, error] = std::from_chars(where.begin(), where.end(), port);
  const bool is_port = error == std::errc() && end == where.end() && port >= 0 && port <= last_port;
  return is_port ? std::optional(port) : std::nullopt;
}

// Returns the port requested after one more option; `requested` is the port before it.
std::optional<int> port_after(std::string_view option, std::optional<int> requested) {
  const std::size_t equals = option.find('=');
  const std::string_view name = option.substr(0, equals);
  const bool of_inspector = name == "--inspect" || name == "--inspect-brk" ||
                            name == "--inspect-wait" || name == "--inspect-port" ||
                            name == "--debug-port";
  if (!of_inspector) return requested;
  const auto port = equals == option.npos ? std::nullopt : port_of(option.substr(equals + 1));
  return port ? port : requested.value_or(default_port);
}

}  // namespace

std::optional<std::uint16_t> inspect_port(std::string_view node_options,
                                          const std::vector<std::string>& exec_args, int worker) {
  std::optional<int> requested;
  while (!node_options.empty()) {
    const std::size_t space = node_options.find(' ');
    requested = port_after(node_options.substr(0, space), requested);
    node_options.remove_prefix(space == node_options.npos ? node_options.size() : space + 1);
  }
  for (const std::string& option : exec_args) requested = port_after(option, requested);
  if (!requested || *requested == 0) return std::nullopt;
  constexpr int ports = last_port - first_port + 1;
  const int port = *requested + worker;
  const bool fits = port <= last_port;
  return static_cast<std::uint16_t>(fits ? port : first_port + (port - last_port - 1) % ports);
}

}  // namespace tine::cluster
