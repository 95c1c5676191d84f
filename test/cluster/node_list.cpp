// Behaviours that Node's own cluster tests check and no other test here does: see
// docs/node-parity.md, "Node's own cluster tests".
#include <csignal>
#include <filesystem>
#include <set>

#include <sys/socket.h>
#include <unistd.h>

#include "cluster/cluster_test.hpp"
#include "support/folder.hpp"
#include "support/raw_peer.hpp"

namespace {

const json at_free_port{{"listen", {{"host", "127.0.0.1"}}}};

tine::Balancing any_balancing() {
  return GENERATE(tine::Balancing::round_robin(), tine::Balancing::none());
}

// Makes the next workers shells that run the script.
void run_script(TestCluster& test, const std::string& script) {
  test.cluster.setup_primary(
      {.exec = script, .fork = {.exec_path = "/bin/sh", .exec_args = {"-c"}}});
}

}  // namespace

TEST_CASE("cluster: the listening event has the port, and disconnect() of all workers closes it",
          "[cluster]") {
  TestCluster test(any_balancing());
  std::set<std::uint16_t> ports;
  test.cluster.on<"listening">([&](const tine::Worker&, const tine::Address& address) {
    ports.insert(address.port);
    if (address.port == test.port) test.loop->stop();
  });
  test.listen(3);
  while (ports.empty()) test.loop.run();
  CHECK(ports == std::set{test.port});
  test.end();
  CHECK(test.ask().empty());
}

TEST_CASE("cluster: a worker that is asked to leave while it asks for a socket leaves",
          "[cluster]") {
  TestCluster test(any_balancing());
  for (int i = 0; i < 4; ++i) {
    auto worker = test.fork();
    worker.send(at_free_port);
    if (i % 2 == 0) {
      worker.disconnect();
    } else {
      worker.on<"online">([worker] { worker.disconnect(); });
    }
  }
  test.loop.run();
  for (auto& worker : test.workers) {
    CHECK(worker.process().exit_code() == 0);
    CHECK(worker.exited_after_disconnect() == true);
  }
}

TEST_CASE("cluster: a server that starts while its worker leaves is closed", "[cluster]") {
  const char* const how = GENERATE("listen", "bind");
  TestCluster test;
  auto worker = test.fork();
  worker.send("leave");
  worker.send({{how, {{"host", "127.0.0.1"}}}});
  test.loop.run();
  CHECK(worker.process().exit_code() == 0);
  CHECK(worker.exited_after_disconnect() == true);
}

TEST_CASE("cluster: some workers may be asked to leave and others killed at the same time",
          "[cluster]") {
  TestCluster test(any_balancing());
  ExpectCalls ended(8);
  ExpectCalls disconnected(8);
  test.cluster.on<"exit">([&] { ended(); });
  test.cluster.on<"disconnect">([&] { disconnected(); });
  test.listen(8);
  for (auto& worker : test.workers) {
    if (worker.id() % 2 == 0) {
      worker.disconnect();
    } else {
      worker.kill();
    }
  }
  test.loop.run();
  CHECK(test.cluster.workers().empty());
}

TEST_CASE("cluster: a worker that does not listen can leave, and the others stay", "[cluster]") {
  TestCluster test(any_balancing());
  auto idle = test.fork();
  test.listen(1);
  idle.on<"exit">([&] { test.loop->stop(); });
  idle.disconnect();
  while (!idle.is_dead()) test.loop.run();
  CHECK(test.ask() == "2");
  test.end();
}

TEST_CASE("cluster: a worker that does not read can be killed", "[cluster]") {
  TestCluster test;
  run_script(test, "while :; do :; done");
  auto worker = test.fork();
  worker.kill(SIGTERM);
  test.loop.run();
  CHECK(worker.process().signal_code() == SIGTERM);
  CHECK(worker.exited_after_disconnect() == false);
}

TEST_CASE("cluster: disconnect() and kill() may follow each other", "[cluster]") {
  const bool kill_first = GENERATE(false, true);
  TestCluster test;
  test.listen(1);
  auto worker = test.workers[0];
  ExpectCalls ended(1);
  worker.on<"exit">([&] { ended(); });
  if (kill_first) worker.kill();
  worker.disconnect();
  worker.disconnect();
  worker.kill();
  test.loop.run();
  CHECK(worker.is_dead());
  worker.disconnect();
  worker.kill();
  test.loop.run();
}

TEST_CASE("cluster: the exit code of a worker is reported", "[cluster]") {
  TestCluster test;
  run_script(test, "exit 3");
  auto worker = test.fork();
  test.loop.run();
  CHECK(worker.process().exit_code() == 3);
  CHECK(worker.exited_after_disconnect() == false);
}

TEST_CASE("cluster: a worker that outlives its channel exits with its own code", "[cluster]") {
  TestCluster test;
  run_script(test, "cat <&3 >/dev/null; exit 42");
  auto worker = test.fork();
  worker.disconnect();
  worker.process().disconnect();
  test.loop.run();
  CHECK(worker.process().exit_code() == 42);
  CHECK(worker.exited_after_disconnect() == true);
}

TEST_CASE("cluster: an address in use is an error of the worker, which may leave then",
          "[cluster]") {
  TestCluster test(any_balancing());
  tine::Server taken(test.loop);
  taken.on<"listening">([&] { test.loop->stop(); });
  taken.listen({.host = "127.0.0.1"});
  test.loop.run();
  auto worker = test.fork();
  worker.send({{"listen", {{"host", "127.0.0.1"}, {"port", taken.address()->port}}}});
  test.wait_for_messages(1);
  CHECK(test.messages[0] == json{{"error", "Address already in use"}});
  taken.close();
  worker.send("leave");
  test.loop.run();
  CHECK(worker.process().exit_code() == 0);
  CHECK(worker.exited_after_disconnect() == true);
}

TEST_CASE("cluster: servers and datagram sockets are closed and opened again", "[cluster]") {
  TestCluster test(any_balancing());
  auto worker = test.fork();
  for (std::size_t i = 1; i <= 3; ++i) {
    for (int j = 0; j < 2; ++j) {
      worker.send(at_free_port);
      worker.send({{"bind", {{"host", "127.0.0.1"}}}});
    }
    test.wait_for_messages(4 * i);
    worker.send("close");
  }
  for (const json& message : test.messages) CHECK(message.contains("listening"));
  test.end();
}

TEST_CASE("cluster: a relative path is relative to the worker's directory, and may be long",
          "[cluster]") {
  const Folder folder;
  const bool is_long = GENERATE(false, true);
  const std::filesystem::path deep = folder.path() / (is_long ? std::string(100, 'd') : "d");
  std::filesystem::create_directory(deep);
  TestCluster test(any_balancing());
  test.cluster.setup_primary({.fork = {.cwd = deep}});
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  auto worker = test.fork();
  bool reported = false;
  worker.on<"listening">([&](const tine::Address& address) {
    CHECK(address.host == deep / "socket");
    reported = true;
    test.loop->stop();
  });
  worker.send({{"listen", {{"path", "socket"}}}});
  test.wait_for_messages(1);
  REQUIRE(test.messages[0].contains("listening"));
  while (!reported) test.loop.run();
  CHECK(std::filesystem::is_socket(deep / "socket"));
  CHECK(test.ask({.path = deep.filename() / "socket"}) == "1");
  test.end();
  CHECK_FALSE(std::filesystem::exists(deep / "socket"));
  std::filesystem::current_path(before);
}

TEST_CASE("cluster: a socket that Node could not bind is reported as an address in use",
          "[cluster]") {
  RawParent worker("worker", {}, {"NODE_UNIQUE_ID=1"});
  worker.channel().read_until("online");
  worker.channel().write(R"({"listen":{"host":"127.0.0.1","port":1}})"
                         "\n");
  worker.channel().read_until("queryServer");
  const int unbound = socket(AF_INET, SOCK_STREAM, 0);
  worker.channel().write_with_descriptor(
      R"({"cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_CLUSTER","errno":0,"key":"a","ack":1}})"
      "\n",
      unbound);
  close(unbound);
  worker.channel().read_until("Address already in use");
  worker.channel().close();
  CHECK(worker.wait() == 0);
}

TEST_CASE("cluster: a worker leaves properly if its primary asks it to, and is gone then",
          "[cluster]") {
  RawParent worker("worker", {}, {"NODE_UNIQUE_ID=1"});
  worker.channel().read_until("online");
  worker.channel().write(
      "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"disconnect\"}\n"
      "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"disconnect\"}\n");
  worker.channel().close();
  CHECK(worker.wait() == 0);
}
