// Tests a C++ primary with JavaScript workers. They run cluster_worker.js with the runtime that
// TINE_TEST_RUNTIME names, and the serialization that TINE_TEST_SERIALIZATION names. Their servers
// are Node's HTTP servers. The tag [deno] marks the tests that Deno passes too, and [bun] those that
// Bun passes, whose servers do not ask the primary. [advanced] marks those that also run with
// advanced serialization.
#include <cstdlib>
#include <filesystem>
#include <set>

#include <sys/socket.h>
#include <unistd.h>

#include "cluster/cluster_test.hpp"
#include "interop/serialization.hpp"
#include "net/bound_socket.hpp"
#include "net/socket_address.hpp"
#include "support/folder.hpp"

using Answers = std::map<std::string, int>;
using Log = std::vector<std::string>;

namespace {

std::string runtime() {
  const char* const named = std::getenv("TINE_TEST_RUNTIME");
  return named == nullptr ? "node" : named;
}

bool is_deno() { return runtime().ends_with("deno"); }

std::string text_of(std::optional<bool> flag) { return flag ? (*flag ? "true" : "false") : "none"; }

// A cluster whose workers run JavaScript.
struct JavascriptCluster : TestCluster {
  explicit JavascriptCluster(tine::Balancing balancing = tine::Balancing::round_robin())
      : TestCluster(std::move(balancing)) {
    tine::ClusterSettings settings{
        .exec = std::filesystem::path(INTEROP_SCRIPTS) / "cluster_worker.js",
        .fork = {.exec_path = runtime(), .serialization = serialization_of_test()}};
    if (is_deno()) settings.fork.exec_args = {"run", "-A"};
    cluster.setup_primary(settings);
  }

  // Sends a request, and passes the body of the answer to `done` when the connection is closed.
  void get(const std::function<void(const std::string&)>& done, const tine::ConnectOptions& to) {
    tine::Socket client(loop);
    const auto answer = std::make_shared<std::string>();
    client.on<"data">([answer](std::string_view bytes) { *answer += bytes; });
    client.on<"error">([](const tine::Error&) {});
    client.on<"close">([answer, done] { done(body_of(*answer)); });
    client.connect(to);
    client.write("GET / HTTP/1.0\r\n\r\n");
  }

  std::string get(const tine::ConnectOptions& to) {
    std::string body;
    get(
        [&](const std::string& text) {
          body = text;
          loop->stop();
        },
        to);
    loop.run();
    return body;
  }
  std::string get() { return get({.host = "127.0.0.1", .port = port}); }

  Answers get_often(int count) {
    Answers answers;
    for (int i = 0; i < count; ++i) ++answers[get()];
    return answers;
  }

  void until_exit(tine::Worker worker) {
    if (worker.is_dead()) return;
    worker.on<"exit">([this] { loop->stop(); });
    while (!worker.is_dead()) loop.run();
  }

  static std::string body_of(const std::string& answer) {
    const std::size_t end = answer.find("\r\n\r\n");
    return end == answer.npos ? "" : answer.substr(end + 4);
  }
};

// Returns a client that has received its answer and holds its connection.
tine::Socket hold(JavascriptCluster& test, Answers& answers) {
  tine::Socket client(test.loop);
  client.on<"data">([&](std::string_view bytes) {
    ++answers[JavascriptCluster::body_of(std::string(bytes))];
    test.loop->stop();
  });
  client.connect({.host = "127.0.0.1", .port = test.port});
  client.write("GET / HTTP/1.0\r\n\r\n");
  test.loop.run();
  return client;
}

// Deno does not listen at a socket that it receives, from Node as well as from tine.
tine::Balancing any_balancing() {
  if (is_deno()) return tine::Balancing::round_robin();
  return GENERATE(tine::Balancing::round_robin(), tine::Balancing::none());
}

// Returns the first of two successive ports that are free at the moment.
std::uint16_t free_pair_of_ports() {
  while (true) {
    const auto bound = [](std::uint16_t port) {
      return tine::net::bound_socket(*tine::net::ip_address("127.0.0.1", port),
                                     {.type = SOCK_STREAM});
    };
    const tine::base::Descriptor first = bound(0);
    const std::uint16_t port = tine::net::local_address(first.get())->port;
    try {
      bound(static_cast<std::uint16_t>(port + 1));
      return port;
    } catch (const tine::Error&) {
    }
  }
}

}  // namespace

TEST_CASE("javascript workers: round robin goes through them in turn", "[advanced]") {
  JavascriptCluster test;
  test.listen(3);
  CHECK(test.get_often(9) == Answers{{"1", 3}, {"2", 3}, {"3", 3}});
  test.end();
}

TEST_CASE("javascript workers: with any balancing, one of them answers") {
  const auto balancing = GENERATE(tine::Balancing::none(), tine::Balancing::reuse_port(),
                                  tine::Balancing::least_connections());
  JavascriptCluster test(balancing);
  test.listen(2);
  int all = 0;
  for (const auto& [worker, count] : test.get_often(10)) {
    CHECK((worker == "1" || worker == "2"));
    all += count;
  }
  CHECK(all == 10);
  test.end();
}

TEST_CASE("javascript workers: they share connections as net servers", "[deno]") {
  JavascriptCluster test;
  test.listen(2, {{"host", "127.0.0.1"}, {"net", true}});
  CHECK(test.ask_often(6) == Answers{{"1", 3}, {"2", 3}});
  test.end();
}

TEST_CASE("javascript workers: the events of a worker come in order", "[deno][advanced]") {
  JavascriptCluster test(any_balancing());
  Log log;
  tine::Address where;
  test.cluster.on<"fork">([&] { log.emplace_back("fork"); });
  test.cluster.on<"online">([&] { log.emplace_back("online"); });
  test.cluster.on<"listening">([&](const tine::Worker&, const tine::Address& address) {
    log.emplace_back("listening");
    where = address;
  });
  test.cluster.on<"disconnect">([&] { log.emplace_back("disconnect"); });
  test.cluster.on<"exit">([&] { log.emplace_back("exit"); });
  test.listen(1, {{"host", "127.0.0.1"}, {"net", true}});
  while (log.size() < 3) {
    test.cluster.once<"listening">([&] { test.loop->stop(); });
    test.loop.run();
  }
  CHECK(where == tine::Address{tine::Family::ipv4, "127.0.0.1", test.port});
  CHECK(test.workers[0].is_connected());
  test.end();
  CHECK(log == Log{"fork", "online", "listening", "disconnect", "exit"});
  CHECK(test.workers[0].exited_after_disconnect() == true);
  CHECK(test.workers[0].process().exit_code() == 0);
}

TEST_CASE("javascript workers: without an address they listen at all addresses", "[advanced]") {
  JavascriptCluster test(any_balancing());
  test.listen(2, {{"port", 0}});
  CHECK(test.port != 0);
  const std::string answer = test.get();
  CHECK((answer == "1" || answer == "2"));
  test.end();
}

TEST_CASE("javascript workers: it is known how a worker has ended") {
  const auto [how, expected] =
      GENERATE(table<std::string, std::string>({{"leave", "disconnect true, exit code 0 true"},
                                                {"kill", "disconnect true, exit code 0 true"},
                                                {"cut", "disconnect none, exit code 0 false"},
                                                {"exit", "disconnect none, exit code 1 false"},
                                                {"throw", "disconnect none, exit code 1 false"}}));
  CAPTURE(how);
  JavascriptCluster test(any_balancing());
  // Ignores the worker's stderr, because the worker prints the exception there.
  test.cluster.setup_primary({.fork = {.stdio = {tine::Stdio::ignore(), tine::Stdio::inherit(),
                                                 tine::Stdio::ignore(), tine::Stdio::ipc()}}});
  test.listen(1);
  std::string log;
  test.cluster.on<"disconnect">([&](tine::Worker worker) {
    log += "disconnect " + text_of(worker.exited_after_disconnect());
  });
  test.cluster.on<"exit">([&](tine::Worker worker, const tine::ExitStatus& status) {
    log += ", exit " + to_string(status) + " " + text_of(worker.exited_after_disconnect());
  });
  test.workers[0].send(how);
  test.loop.run();
  CHECK(log == expected);
  CHECK(test.get().empty());
}

TEST_CASE("javascript workers: a worker that is killed is replaced", "[deno]") {
  JavascriptCluster test(any_balancing());
  const int signal = GENERATE(SIGTERM, SIGKILL);
  test.listen(2, {{"host", "127.0.0.1"}, {"net", true}});
  const std::uint16_t port = test.port;
  test.workers[0].kill(signal);
  test.until_exit(test.workers[0]);
  CHECK(test.workers[0].process().signal_code() == signal);
  CHECK(test.workers[0].exited_after_disconnect() == false);

  test.listen(1, {{"host", "127.0.0.1"}, {"net", true}});
  CHECK(test.port == port);
  for (const auto& [worker, count] : test.ask_often(6)) CHECK((worker == "2" || worker == "3"));
  test.end();
}

TEST_CASE(
    "javascript workers: a worker that leaves serves its connections, and the other the next") {
  JavascriptCluster test(any_balancing());
  test.listen(1, {{"host", "127.0.0.1"}, {"hold", true}});
  Answers answers;
  tine::Socket client = hold(test, answers);
  CHECK(answers == Answers{{"1", 1}});
  test.listen(1);
  test.workers[0].disconnect();
  test.workers[0].send("still there");
  test.wait_for_messages(1);
  CHECK(test.get_often(4) == Answers{{"2", 4}});
  CHECK_FALSE(test.workers[0].is_dead());
  client.end();
  test.until_exit(test.workers[0]);
  CHECK(test.workers[0].process().exit_code() == 0);
  test.end();
}

TEST_CASE("javascript workers: a connection that a full worker refuses goes to the other",
          "[advanced]") {
  JavascriptCluster test;
  test.listen(1, {{"host", "127.0.0.1"}, {"hold", true}, {"most", 1}});
  Answers answers;
  tine::Socket client = hold(test, answers);
  CHECK(answers == Answers{{"1", 1}});
  test.listen(1);
  CHECK(test.get_often(4) == Answers{{"2", 4}});
  client.end();
  test.end();
}

TEST_CASE("javascript workers: each further server gets another port", "[advanced]") {
  JavascriptCluster test(any_balancing());
  for (int i = 0; i < 2; ++i) {
    auto worker = test.fork();
    worker.send({{"listen", {{"host", "127.0.0.1"}}}});
    worker.send({{"listen", {{"host", "127.0.0.1"}}}});
  }
  test.wait_for_messages(4);
  Answers ports;
  for (const json& message : test.messages) ++ports[message.dump()];
  CHECK(ports.size() == 2);
  for (const auto& [port, count] : ports) CHECK(count == 2);
  test.end();
}

TEST_CASE("javascript workers: they may listen again at a port that they have closed", "[deno]") {
  JavascriptCluster test(any_balancing());
  test.listen(1, {{"host", "127.0.0.1"}, {"net", true}});
  for (std::size_t i = 1; i <= 3; ++i) {
    test.workers[0].send("close");
    test.workers[0].send({{"listen", {{"host", "127.0.0.1"}, {"port", test.port}, {"net", true}}}});
    test.wait_for_messages(i);
    CHECK(test.messages.back() == json{{"listening", test.port}});
    CHECK(test.ask() == "1");
  }
  test.end();
}

TEST_CASE("javascript workers: a worker gets the error if the primary cannot open a socket",
          "[advanced]") {
  JavascriptCluster test(any_balancing());
  tine::Server taken(test.loop);
  taken.on<"listening">([&] { test.loop->stop(); });
  taken.listen({.host = "127.0.0.1"});
  test.loop.run();
  auto worker = test.fork();
  worker.send({{"listen", {{"host", "127.0.0.1"}, {"port", taken.address()->port}}}});
  worker.send({{"listen", {{"host", "203.0.113.1"}, {"port", 0}}}});
  worker.send({{"listen", {{"path", "/no/such/folder/socket"}}}});
  test.wait_for_messages(3);
  std::set<json> errors;
  for (const json& message : test.messages) errors.insert(message.value("error", message.dump()));
  CHECK(errors == std::set<json>{"EADDRINUSE", "EADDRNOTAVAIL", "ENOENT"});
  taken.close();
  test.end();
}

TEST_CASE("javascript workers: a path is shared, and removed at the end", "[advanced]") {
  const Folder folder;
  const std::string path = folder.path() / "socket";
  JavascriptCluster test(any_balancing());
  for (int i = 0; i < 2; ++i) test.fork().send({{"listen", {{"path", path}}}});
  int listening = 0;
  test.cluster.on<"listening">([&](const tine::Worker&, const tine::Address& address) {
    CHECK(address == tine::Address{tine::Family::unix_path, path, 0});
    if (++listening == 2) test.loop->stop();
  });
  test.loop.run();
  const std::string answer = test.get({.path = path});
  CHECK((answer == "1" || answer == "2"));
  test.end();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("javascript workers: an abstract name is shared") {
  const std::string name = std::string(1, '\0') + "tine-test-" + std::to_string(::getpid());
  JavascriptCluster test(any_balancing());
  for (int i = 0; i < 2; ++i) test.fork().send({{"listen", {{"path", name}}}});
  test.cluster.on<"listening">([&](const tine::Worker&, const tine::Address& address) {
    CHECK(address == tine::Address{tine::Family::unix_path, name, 0});
  });
  test.wait_for_messages(2);
  for (const json& message : test.messages) REQUIRE(message.contains("listening"));
  const std::string answer = test.get({.path = name});
  CHECK((answer == "1" || answer == "2"));
  test.end();
}

TEST_CASE("javascript workers: they can listen at a descriptor of the primary, by its number there",
          "[advanced]") {
  JavascriptCluster test(GENERATE(tine::Balancing::round_robin(), tine::Balancing::none()));
  const tine::base::Descriptor bound =
      tine::net::bound_socket(*tine::net::ip_address("127.0.0.1", 0), {.type = SOCK_STREAM});
  test.listen(2, {{"fd", bound.get()}});
  CHECK(test.port == tine::net::local_address(bound.get())->port);
  for (int i = 0; i < 4; ++i) CHECK_FALSE(test.get().empty());
  test.end();
}

TEST_CASE("javascript workers: a datagram socket is shared", "[advanced]") {
  JavascriptCluster test;
  for (int i = 0; i < 2; ++i) test.fork().send({{"bind", {{"host", "127.0.0.1"}, {"port", 0}}}});
  test.wait_for_messages(2);
  REQUIRE(test.messages[0] == test.messages[1]);
  tine::Datagram client(test.loop, tine::Family::ipv4);
  std::string answer;
  client.on<"message">([&](std::string_view bytes) {
    answer = bytes;
    test.loop->stop();
  });
  client.send("who?", {.host = "127.0.0.1", .port = test.messages[0]["listening"]});
  test.loop.run();
  CHECK((answer == "1" || answer == "2"));
  client.close();
  test.end();
}

// Node 20 does not know reusePort, so it asks the primary. Node 26 does not ask.
TEST_CASE("javascript workers: with reusePort they share a port") {
  JavascriptCluster test(any_balancing());
  const auto listen = [&](std::uint16_t port) {
    test.messages.clear();
    test.fork().send({{"listen", {{"host", "127.0.0.1"}, {"port", port}, {"reusePort", true}}}});
    test.wait_for_messages(1);
    return test.messages[0];
  };
  const json first = listen(0);
  test.port = first["listening"];
  if (listen(0) != first) CHECK(listen(test.port) == first);
  CHECK_FALSE(test.get().empty());
  for (auto& worker : test.workers) worker.send("close");  // it may be the worker's own
  test.end();
}

TEST_CASE("javascript workers: messages go both ways", "[bun][deno][advanced]") {
  JavascriptCluster test;
  ExpectCalls online(1);
  test.cluster.on<"online">([&] { online(); });
  const std::vector<json> messages{"Grüße", {{"a", {1, nullptr, "😀"}}}, std::string(100'000, 'x')};
  auto worker = test.fork();
  std::vector<json> its;
  worker.on<"message">([&](const json& message) { its.push_back(message); });
  for (const json& message : messages) worker.send(message);
  test.wait_for_messages(messages.size());
  CHECK(its == messages);
  CHECK(test.messages == messages);
  test.end();
}

TEST_CASE("javascript workers: disconnect() of all calls back when they have left") {
  JavascriptCluster test(any_balancing());
  test.listen(3);
  ExpectCalls called(1);
  test.cluster.disconnect([&] {
    called();
    CHECK(test.cluster.workers().empty());
    for (auto& worker : test.workers) CHECK(worker.process().exit_code() == 0);
  });
  test.loop.run();
}

// Node ends a process if its inspector cannot listen.
TEST_CASE("javascript workers: each has its own inspector") {
  const bool by_variable = GENERATE(false, true);
  const std::string option = "--inspect=127.0.0.1:" + std::to_string(free_pair_of_ports());
  JavascriptCluster test;
  if (by_variable) {
    test.cluster.setup_primary({.fork = {.env = {{"NODE_OPTIONS", option}}}});
  } else {
    test.cluster.setup_primary({.fork = {.exec_args = {option}}});
  }
  for (int i = 0; i < 2; ++i) test.fork().send("here");
  test.wait_for_messages(2);
  CHECK(test.messages == std::vector<json>{"here", "here"});
  test.end();
}
