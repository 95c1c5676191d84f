#include "cluster/settings.hpp"

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "cluster/inspect_port.hpp"
#include "process/program.hpp"

namespace tine::cluster {

namespace {

using Variables = std::map<std::string, std::optional<std::string>>;

// The structured bindings name every field, so that a new field does not compile until it is merged
// too.
template <class Options>
auto fields_of_channel(Options& options) {
  auto& [max_line, max_depth, send_mark, send_limit, stored_limit, descriptor_limit, handle_timeout,
         flush_timeout] = options;
  return std::tie(max_line, max_depth, send_mark, send_limit, stored_limit, descriptor_limit,
                  handle_timeout, flush_timeout);
}

template <class Options>
auto fields_of_fork(Options& options) {
  auto& [args, exec_path, exec_args, argv0, cwd, env, inherit_env, stdio, silent, detached,
         own_group, uid, gid, limits, nice, timeout, stop, kill_signal, parent_death_signal,
         kill_with_loop, serialization, channel] = options;
  return std::tie(args, exec_path, exec_args, argv0, cwd, env, inherit_env, stdio, silent, detached,
                  own_group, uid, gid, limits, nice, timeout, stop, kill_signal,
                  parent_death_signal, kill_with_loop, serialization, channel);
}

template <class T>
void merge_field(T& setting, const T& given, const T& default_value) {
  if (given != default_value) setting = given;
}

template <class T>
void merge_field(std::vector<T>& setting, const std::vector<T>& given, const std::vector<T>&) {
  if (!given.empty()) setting = given;
}

void merge_field(Variables& setting, const Variables& given, const Variables&) {
  for (const auto& [name, value] : given) setting[name] = value;
}

void merge_field(ChannelOptions& setting, const ChannelOptions& given,
                 const ChannelOptions& default_value);

template <class... T>
void merge_fields(std::tuple<T&...> settings, std::tuple<const T&...> given,
                  std::tuple<const T&...> defaults) {
  const auto merge_at = [&]<std::size_t... I>(std::index_sequence<I...>) {
    (merge_field(std::get<I>(settings), std::get<I>(given), std::get<I>(defaults)), ...);
  };
  merge_at(std::index_sequence_for<T...>());
}

void merge_field(ChannelOptions& setting, const ChannelOptions& given,
                 const ChannelOptions& default_value) {
  merge_fields(fields_of_channel(setting), fields_of_channel(given),
               fields_of_channel(default_value));
}

bool runs_node(const ForkOptions& options) {
  return std::filesystem::path(options.exec_path).filename().string().starts_with("node");
}

// The value that the variable will have in the child.
std::string variable_of(const ForkOptions& options, const char* name) {
  const auto given = options.env.find(name);
  if (given != options.env.end()) return given->second.value_or("");
  const char* const inherited = options.inherit_env ? std::getenv(name) : nullptr;
  return inherited == nullptr ? "" : inherited;
}

}  // namespace

void merge(ClusterSettings& settings, const ClusterSettings& given) {
  const ForkOptions defaults;
  if (!given.exec.empty()) settings.exec = given.exec;
  if (given.balancing) settings.balancing = given.balancing;
  merge_fields(fields_of_fork(settings.fork), fields_of_fork(given.fork), fields_of_fork(defaults));
}

Balancing balancing_of_environment() {
  const char* const policy = std::getenv("NODE_CLUSTER_SCHED_POLICY");
  return policy != nullptr && std::string_view(policy) == "none" ? Balancing::none()
                                                                 : Balancing::round_robin();
}

ForkOptions worker_options(const ClusterSettings& settings, const Variables& env, int id) {
  ForkOptions options = settings.fork;
  if (options.args.empty() && settings.exec.empty()) options.args = process::program_args();
  for (const auto& [name, value] : env) options.env[name] = value;
  if (runs_node(options)) {
    const auto port = inspect_port(variable_of(options, "NODE_OPTIONS"), options.exec_args, id - 1);
    if (port) options.exec_args.push_back("--inspect-port=" + std::to_string(*port));
  }
  return options;
}

}  // namespace tine::cluster
