// Servers and datagram sockets that workers share.
#include <filesystem>
#include <optional>
#include <set>

#include <sys/socket.h>
#include <unistd.h>

#include "cluster/cluster_test.hpp"
#include "net/bound_socket.hpp"
#include "net/socket_address.hpp"
#include "support/folder.hpp"
#include "support/invariants.hpp"
#include "support/no_descriptors.hpp"

using Answers = std::map<std::string, int>;

TEST_CASE("cluster: round robin goes through the workers in turn", "[cluster]") {
  TestCluster test;
  test.listen(3);
  CHECK(test.ask_often(9) == Answers{{"1", 3}, {"2", 3}, {"3", 3}});
  test.end();
}

TEST_CASE("cluster: without balancing, or with a socket for each worker, any worker answers",
          "[cluster]") {
  const auto balancing = GENERATE(tine::Balancing::none(), tine::Balancing::reuse_port());
  TestCluster test(balancing);
  test.listen(2);
  const auto answers = test.ask_often(20);
  int all = 0;
  for (const auto& [worker, count] : answers) {
    CHECK((worker == "1" || worker == "2"));
    all += count;
  }
  CHECK(all == 20);
  test.end();
}

TEST_CASE("cluster: the worker with the fewest connections gets the next one", "[cluster]") {
  TestCluster test(tine::Balancing::least_connections());
  test.listen(2, {{"host", "127.0.0.1"}, {"hold", true}});
  Answers answers;
  std::vector<std::string> answered_by;
  std::vector<tine::Socket> clients;
  const auto connect = [&] {
    auto& client = clients.emplace_back(test.loop);
    client.once<"data">([&](std::string_view worker) {
      answered_by.emplace_back(worker);
      ++answers[answered_by.back()];
      test.loop->stop();
    });
    client.connect({.host = "127.0.0.1", .port = test.port});
    test.loop.run();
  };
  for (int i = 0; i < 10; ++i) connect();
  CHECK(answers == Answers{{"1", 5}, {"2", 5}});

  // The connections of the first worker end, so it gets all the next ones. Its answer comes after
  // its reports that these connections have ended.
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (answered_by[i] == "1") clients[i].end();
  }
  int open = 10;
  for (auto& client : clients) {
    client.on<"close">([&] {
      if (--open == 5) test.loop->stop();
    });
  }
  test.loop.run();
  test.workers[0].send("in order");
  test.wait_for_messages(1);
  answers.clear();
  for (int i = 0; i < 5; ++i) connect();
  CHECK(answers == Answers{{"1", 5}});
  for (auto& client : clients) client.end();
  test.end();
}

TEST_CASE("cluster: a function of the user chooses the worker for a client", "[cluster]") {
  int asked = 0;
  TestCluster test(tine::Balancing::by(
      [&](const tine::Address& client, const std::vector<tine::Balancing::Candidate>& workers) {
        ++asked;
        CHECK(client.host == "127.0.0.1");
        CHECK(workers.size() == 3);
        for (std::size_t i = 0; i < workers.size(); ++i) {
          if (workers[i].worker == 2) return i;
        }
        return workers.size();
      }));
  test.listen(3);
  CHECK(test.ask_often(5) == Answers{{"2", 5}});
  CHECK(asked >= 5);
  test.end();
}

TEST_CASE("cluster: workers share a free port, and each further server gets another port",
          "[cluster]") {
  TestCluster test;
  for (int i = 0; i < 2; ++i) {
    auto worker = test.fork();
    worker.send({{"listen", {{"host", "127.0.0.1"}}}});
    worker.send({{"listen", {{"host", "127.0.0.1"}}}});
  }
  test.wait_for_messages(4);
  std::map<json, int> ports;
  for (const json& message : test.messages) ++ports[message["listening"]];
  CHECK(ports.size() == 2);
  for (const auto& [port, count] : ports) CHECK(count == 2);
  test.end();
}

TEST_CASE("cluster: a worker may listen again at a port that it has closed", "[cluster]") {
  TestCluster test;
  test.listen(1);
  test.workers[0].send("close");
  test.workers[0].send({{"listen", {{"host", "127.0.0.1"}, {"port", test.port}}}});
  test.wait_for_messages(1);
  CHECK(test.messages[0] == json{{"listening", test.port}});
  CHECK(test.ask() == "1");
  test.end();
}

TEST_CASE("cluster: a worker gets the error if the primary cannot open a socket", "[cluster]") {
  TestCluster test;
  tine::Server taken(test.loop);
  taken.on<"listening">([&] { test.loop->stop(); });
  taken.listen({.host = "127.0.0.1"});
  test.loop.run();
  auto worker = test.fork();
  worker.send({{"listen", {{"host", "127.0.0.1"}, {"port", taken.address()->port}}}});
  worker.send({{"listen", {{"host", "203.0.113.1"}}}});
  worker.send({{"listen", {{"path", "/no/such/folder/socket"}}}});
  test.wait_for_messages(3);
  std::set<json> errors;
  for (const json& message : test.messages) errors.insert(message["error"]);
  CHECK(errors == std::set<json>{"Address already in use", "Cannot assign requested address",
                                 "No such file or directory"});
  taken.close();
  test.end();
}

TEST_CASE("cluster: a worker that listens twice at the same port gets an error", "[cluster]") {
  TestCluster test;
  test.listen(1);
  const json listen{{"listen", {{"host", "127.0.0.1"}, {"port", test.port}}}};
  test.workers[0].send("close");
  test.workers[0].send(listen);
  test.wait_for_messages(1);
  test.workers[0].send(listen);
  test.wait_for_messages(2);
  CHECK(test.messages[1] == json{{"error", "Address already in use"}});
  CHECK(test.ask() == "1");
  test.end();
}

TEST_CASE("cluster: a path is shared with its permissions, and removed at the end", "[cluster]") {
  const auto balancing = GENERATE(tine::Balancing::round_robin(), tine::Balancing::none(),
                                  tine::Balancing::reuse_port());
  Folder folder;
  const std::string path = folder.path() / "socket";
  TestCluster test(balancing);
  for (int i = 0; i < 2; ++i) {
    test.fork().send({{"listen", {{"path", path}, {"readable", true}, {"writable", true}}}});
  }
  bool listening = false;
  test.cluster.on<"listening">([&](const tine::Worker&, const tine::Address& address) {
    CHECK(address.host == path);
    if (std::exchange(listening, true)) test.loop->stop();
  });
  test.loop.run();
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::others_write) !=
        std::filesystem::perms::none);
  const std::string answer = test.ask({.path = path});
  CHECK((answer == "1" || answer == "2"));
  test.end();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("cluster: an abstract name is shared", "[cluster]") {
  const std::string name = std::string(1, '\0') + "tine-test-" + std::to_string(::getpid());
  TestCluster test;
  for (int i = 0; i < 2; ++i) test.fork().send({{"listen", {{"path", name}}}});
  test.wait_for_messages(2);
  CHECK(test.messages == std::vector<json>(2, {{"listening", 0}}));
  CHECK(test.ask({.path = name}) != "");
  test.end();
}

TEST_CASE("cluster: workers can listen at a descriptor of the primary, by its number there",
          "[cluster]") {
  const auto balancing = GENERATE(tine::Balancing::round_robin(), tine::Balancing::none());
  TestCluster test(balancing);
  const tine::base::Descriptor bound =
      tine::net::bound_socket(*tine::net::ip_address("127.0.0.1", 0), {.type = SOCK_STREAM});
  test.listen(2, {{"descriptor", bound.get()}});
  const auto address = tine::net::local_address(bound.get());
  REQUIRE(address);
  CHECK(test.port == address->port);
  for (int i = 0; i < 4; ++i) CHECK_FALSE(test.ask().empty());
  test.end();
  CHECK(tine::net::local_address(bound.get()) == address);
}

TEST_CASE("cluster: a descriptor that is no socket of the primary is an error of the worker",
          "[cluster]") {
  const bool exclusive = GENERATE(false, true);  // if true, the descriptor is the worker's
  TestCluster test;
  test.fork().send({{"listen", {{"descriptor", 9999}, {"exclusive", exclusive}}}});
  test.wait_for_messages(1);
  CHECK(test.messages[0] ==
        json{{"error", exclusive ? "Bad file descriptor" : "Invalid argument"}});
  test.end();
}

TEST_CASE("cluster: a datagram socket is shared", "[cluster]") {
  TestCluster test;
  for (int i = 0; i < 2; ++i) test.fork().send({{"bind", {{"host", "127.0.0.1"}}}});
  test.wait_for_messages(2);
  REQUIRE(test.messages[0] == test.messages[1]);
  const std::uint16_t port = test.messages[0]["listening"];
  tine::Datagram client(test.loop, tine::Family::ipv4);
  std::string answer;
  client.on<"message">([&](std::string_view bytes) {
    answer = bytes;
    test.loop->stop();
  });
  client.send("who?", {.family = tine::Family::ipv4, .host = "127.0.0.1", .port = port});
  test.loop.run();
  CHECK((answer == "1" || answer == "2"));
  client.close();
  test.end();
}

// The server answers when it has all questions, because no worker may close its socket before.
TEST_CASE("cluster: a datagram socket that send() has bound belongs to the worker alone",
          "[cluster]") {
  constexpr std::size_t count = 3;
  TestCluster test;
  tine::Datagram server(test.loop, tine::Family::ipv4);
  std::map<std::string, tine::Address> asked;
  server.on<"message">([&](std::string_view worker, const tine::Address& from) {
    asked.emplace(worker, from);
    if (asked.size() < count) return;
    for (const auto& [id, whence] : asked) server.send("to " + id, whence);
  });
  server.bind({.host = "127.0.0.1"});
  std::multimap<int, json> answers;
  test.on_message = [&](const tine::Worker& worker, const json& message) {
    answers.emplace(worker.id(), message["answer"]);
    if (answers.size() == count) test.loop->stop();
  };
  for (std::size_t i = 0; i < count; ++i) test.fork().send({{"ask", server.address()->port}});
  test.loop.run();
  CHECK(answers == std::multimap<int, json>{{1, "to 1"}, {2, "to 2"}, {3, "to 3"}});
  std::set<std::uint16_t> ports;
  for (const auto& [id, whence] : asked) ports.insert(whence.port);
  CHECK(ports.size() == count);
  server.close();
  for (auto& worker : test.workers) worker.send("close");
  test.end();
}

TEST_CASE("cluster: with reuse_port each worker has its own socket", "[cluster]") {
  const auto balancing = GENERATE(tine::Balancing::round_robin(), tine::Balancing::none());
  const std::string kind = GENERATE("listen", "bind");
  TestCluster test(balancing);
  bool reported = false;
  test.cluster.on<"listening">([&](const tine::Worker&) { reported = true; });
  const auto start = [&](std::uint16_t port) {
    test.messages.clear();
    test.fork().send({{kind, {{"host", "127.0.0.1"}, {"port", port}, {"reuse_port", true}}}});
    test.wait_for_messages(1);
    return test.messages[0];
  };
  const std::uint16_t port = start(0)["listening"];
  CHECK(start(port) == json{{"listening", port}});
  CHECK_FALSE(reported);
  for (auto& worker : test.workers) worker.send("close");
  test.end();
}

TEST_CASE("cluster: a datagram socket shares its port with others only with an option for it",
          "[cluster]") {
  const std::string reuse = GENERATE("reuse_address", "reuse_port");
  TestCluster test;
  const auto bind = [&](std::uint16_t port, bool shares) {
    test.messages.clear();
    test.fork().send({{"bind", {{"host", "127.0.0.1"}, {"port", port}, {reuse, shares}}}});
    test.wait_for_messages(1);
    return test.messages[0];
  };
  tine::Datagram alone(test.loop, tine::Family::ipv4);
  alone.bind({.host = "127.0.0.1",
              .reuse_address = reuse == "reuse_address",
              .reuse_port = reuse == "reuse_port"});
  const std::uint16_t port = alone.address()->port;
  CHECK(bind(port, false).contains("error"));
  CHECK(bind(port, true) == json{{"listening", port}});
  alone.close();
  // The cluster does not close a socket that is the worker's own.
  for (auto& worker : test.workers) worker.send("close");
  test.end();
}

TEST_CASE("cluster: a datagram socket for IPv6 only leaves the port free for IPv4", "[cluster]") {
  const bool only = GENERATE(true, false);
  TestCluster test;
  test.fork().send({{"bind", {{"host", "::"}, {"ipv6_only", only}}}});
  test.wait_for_messages(1);
  const std::uint16_t port = test.messages[0]["listening"];
  test.messages.clear();
  test.fork().send({{"bind", {{"host", "0.0.0.0"}, {"port", port}}}});
  test.wait_for_messages(1);
  CHECK(test.messages[0].contains(only ? "listening" : "error"));
  test.end();
}

TEST_CASE("cluster: a server for IPv6 only does not accept IPv4", "[cluster]") {
  const bool only = GENERATE(true, false);
  TestCluster test;
  test.listen(1, {{"host", "::"}, {"ipv6_only", only}});
  CHECK(test.ask({.host = "::1", .port = test.port}) == "1");
  CHECK(test.ask({.host = "127.0.0.1", .port = test.port}) == (only ? "" : "1"));
  test.end();
}

TEST_CASE("cluster: without free descriptors, the primary closes connections and goes on",
          "[cluster]") {
  if (sanitized) return;  // UBSan needs a pipe to see whether memory can be read
  TestCluster test;
  test.listen(1);
  std::optional<NoDescriptors> limit;
  tine::Socket client(test.loop);
  bool answered = false;
  client.on<"data">([&] { answered = true; });
  client.on<"error">([] {});
  client.on<"close">([&] { test.loop->stop(); });
  client.connect({.host = "127.0.0.1", .port = test.port});
  limit.emplace();
  test.loop.run();
  CHECK_FALSE(answered);
  limit.reset();
  CHECK(test.ask() == "1");
  test.end();
}

TEST_CASE("cluster: an exclusive server belongs to the worker alone", "[cluster]") {
  TestCluster test;
  bool reported = false;
  test.cluster.on<"listening">([&](const tine::Worker&) { reported = true; });
  test.listen(2, {{"host", "127.0.0.1"}, {"exclusive", true}});
  const std::string only = test.ask();
  for (int i = 0; i < 5; ++i) CHECK(test.ask() == only);
  CHECK_FALSE(reported);
  // The cluster does not close exclusive servers.
  for (auto& worker : test.workers) worker.kill();
  test.loop.run();
}

TEST_CASE("cluster: a connection that a full worker refuses goes to another worker, or is closed",
          "[cluster]") {
  TestCluster test;
  test.fork().send({{"listen", {{"host", "127.0.0.1"}, {"port", 0}, {"most", 0}}}});
  test.fork().send({{"listen", {{"host", "127.0.0.1"}, {"port", 0}}}});
  test.wait_for_messages(2);
  test.port = test.messages[0]["listening"];
  CHECK(test.ask_often(6) == Answers{{"2", 6}});
  test.workers[1].disconnect();
  test.workers[1].on<"exit">([&] { test.loop->stop(); });
  test.loop.run();
  CHECK(test.ask().empty());
  test.end();
}
