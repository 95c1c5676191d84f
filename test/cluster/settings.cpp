// Tests how settings are merged, and with which options workers are forked.
#include "cluster/settings.hpp"

#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using tine::ClusterSettings;
using tine::ForkOptions;
using tine::Stdio;

namespace {

using Texts = std::vector<std::string>;

ClusterSettings merged(ClusterSettings settings, const ClusterSettings& given) {
  tine::cluster::merge(settings, given);
  return settings;
}

}  // namespace

TEST_CASE("cluster settings: each fork option stays until another value is given", "[cluster]") {
  const auto source = std::make_unique<std::stop_source>();
  const ClusterSettings given{.exec = "worker",
                              .fork = {.args = {"one"},
                                       .exec_path = "/bin/sh",
                                       .exec_args = {"-c"},
                                       .argv0 = "name",
                                       .cwd = "/tmp",
                                       .inherit_env = false,
                                       .stdio = {Stdio::ipc()},
                                       .silent = true,
                                       .detached = true,
                                       .own_group = true,
                                       .uid = 1,
                                       .gid = 2,
                                       .limits = {{.resource = 3, .soft = 4, .hard = 5}},
                                       .nice = 6,
                                       .timeout = 7ms,
                                       .stop = source->get_token(),
                                       .kill_signal = 8,
                                       .parent_death_signal = 9,
                                       .kill_with_loop = true,
                                       .channel = {.max_depth = 10, .flush_timeout = 11ms}}};
  const ClusterSettings settings = GENERATE(false, true) ? merged(given, {}) : merged({}, given);
  CHECK(settings.exec == "worker");
  const ForkOptions& fork = settings.fork;
  CHECK(fork.args == Texts{"one"});
  CHECK(fork.exec_path == "/bin/sh");
  CHECK(fork.exec_args == Texts{"-c"});
  CHECK(fork.argv0 == "name");
  CHECK(fork.cwd == "/tmp");
  CHECK_FALSE(fork.inherit_env);
  CHECK(fork.stdio.size() == 1);
  CHECK(fork.silent);
  CHECK(fork.detached);
  CHECK(fork.own_group);
  CHECK(fork.uid == 1u);
  CHECK(fork.gid == 2u);
  CHECK(fork.limits.size() == 1);
  CHECK(fork.nice == 6);
  CHECK(fork.timeout == 7ms);
  CHECK(fork.stop == source->get_token());
  CHECK(fork.kill_signal == 8);
  CHECK(fork.parent_death_signal == 9);
  CHECK(fork.kill_with_loop);
  CHECK(fork.channel.max_depth == 10);
  CHECK(fork.channel.flush_timeout == 11ms);
  CHECK(fork.channel.descriptor_limit == tine::ChannelOptions().descriptor_limit);
}

TEST_CASE("cluster settings: a new value replaces the earlier one", "[cluster]") {
  const ClusterSettings settings =
      merged({.exec = "a", .fork = {.args = {"b", "c"}, .cwd = "/d", .nice = 1}},
             {.exec = "A", .fork = {.args = {"B"}, .nice = 2}});
  CHECK(settings.exec == "A");
  CHECK(settings.fork.args == Texts{"B"});
  CHECK(settings.fork.cwd == "/d");
  CHECK(settings.fork.nice == 2);
}

TEST_CASE("cluster settings: variables are merged one by one, and fork()'s come last",
          "[cluster]") {
  const ClusterSettings settings = merged({.fork = {.env = {{"A", "1"}, {"B", "1"}, {"C", "1"}}}},
                                          {.fork = {.env = {{"B", "2"}, {"C", "2"}}}});
  const ForkOptions options =
      tine::cluster::worker_options(settings, {{"C", std::nullopt}, {"D", "3"}}, 1);
  CHECK(options.env == std::map<std::string, std::optional<std::string>>{
                           {"A", "1"}, {"B", "2"}, {"C", std::nullopt}, {"D", "3"}});
}

TEST_CASE("cluster settings: workers get the program's arguments only if they run the same program",
          "[cluster]") {
  const auto args_of = [](const ClusterSettings& settings) {
    return tine::cluster::worker_options(settings, {}, 1).args;
  };
  CHECK(args_of({.exec = "worker"}).empty());
  CHECK(args_of({.fork = {.args = {"one"}}}) == Texts{"one"});
}

TEST_CASE("cluster settings: a worker that does not inherit NODE_OPTIONS gets no inspector port",
          "[cluster]") {
  ::setenv("NODE_OPTIONS", "--inspect=1234", 1);
  const bool inherit = GENERATE(true, false);
  const ForkOptions options = tine::cluster::worker_options(
      {.exec = "worker.js", .fork = {.exec_path = "node", .inherit_env = inherit}}, {}, 2);
  ::unsetenv("NODE_OPTIONS");
  CHECK(options.exec_args == (inherit ? Texts{"--inspect-port=1235"} : Texts{}));
}
