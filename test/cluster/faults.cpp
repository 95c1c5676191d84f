// Faults in a cluster.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <system_error>
#include <vector>

#include <sys/socket.h>

#include "cluster/cluster_test.hpp"
#include "net/bound_socket.hpp"
#include "net/socket_address.hpp"
#include "support/invariants.hpp"
#include "support/raw_peer.hpp"
#include "support/scale.hpp"

using namespace std::chrono_literals;

namespace {

constexpr const char* online = R"({"cmd":"NODE_CLUSTER","act":"online","seq":0}\n)";
constexpr const char* listening =
    R"({"cmd":"NODE_CLUSTER","act":"listening","address":"127.0.0.1","port":1,"addressType":4,"seq":2}\n)";
constexpr const char* ack = R"({"cmd":"NODE_HANDLE_ACK"}\n)";
constexpr const char* nack = R"({"cmd":"NODE_HANDLE_NACK"}\n)";

std::string query(std::uint16_t port) {
  return R"({"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"127.0.0.1","port":)" +
         std::to_string(port) + R"(,"addressType":4,"backlog":511,"flags":0,"seq":1}\n)";
}

// Forks a worker that does the steps of raw.cpp after it has begun to listen at the port of the
// others, and waits until it listens.
tine::Worker fork_raw(TestCluster& test, const std::vector<std::string>& steps) {
  std::vector<std::string> args{"send",  online,       "send", query(test.port),
                                "await", R"("ack":1)", "send", listening};
  args.insert(args.end(), steps.begin(), steps.end());
  test.cluster.setup_primary({.exec = test_program("raw"), .fork = {.args = args}});
  auto worker = test.cluster.fork();
  worker.on<"listening">([&] { test.loop->stop(); });
  test.loop.run();
  return worker;
}

// Clients that connect all at once. Each of them must get an answer, or the end of its connection,
// soon.
struct Crowd {
  Crowd(TestCluster& its_test, int count) : test(its_test), open(count) {
    for (int i = 0; i < count; ++i) {
      test.connect([this, since = std::chrono::steady_clock::now()](const std::string& answer) {
        answered += !answer.empty();
        late += std::chrono::steady_clock::now() - since > soon;
        if (--open == 0) test.loop->stop();
      });
    }
  }
  TestCluster& test;
  int open;
  int answered = 0;
  int late = 0;
};

// Finds a port that is free for all workers, and forks a worker that listens there.
void listen_at_free_port(TestCluster& test) {
  tine::Server free(test.loop);
  free.on<"listening">([&] {
    test.port = free.address()->port;
    free.close();
  });
  free.listen({.host = "127.0.0.1"});
  test.loop.run();
  test.listen(1, {{"host", "127.0.0.1"}, {"port", test.port}});
}

}  // namespace

TEST_CASE("row 44: a connection whose worker dies goes to another worker", "[cluster]") {
  const std::vector<std::string> steps =
      GENERATE(std::vector<std::string>{"await", "newconn", "kill"},
               std::vector<std::string>{"await", "newconn", "send", ack, "kill"});
  const int repetitions = scaled(25, 500);
  TestCluster test;
  listen_at_free_port(test);
  const std::size_t descriptors = open_descriptors().size();
  int answered = 0;
  int late = 0;
  for (int i = 0; i < repetitions; ++i) {
    auto victim = fork_raw(test, steps);
    bool dead = false;
    victim.on<"exit">([&](const tine::ExitStatus& status) {
      dead = status.signal == SIGKILL;
      test.loop->stop();
    });
    Crowd crowd(test, 4);
    while (!dead || crowd.open > 0) test.loop.run();
    answered += crowd.answered;
    late += crowd.late;
  }
  CHECK(answered == 4 * repetitions);
  CHECK(late == 0);
  CHECK(open_descriptors().size() == descriptors);
  test.end();
}

TEST_CASE("row 45: wrong answers for a connection do no harm", "[cluster]") {
  const std::string answer =
      GENERATE(as<std::string>{}, R"("accepted":"yes")", R"("accepted":false)",
               R"("accepted":null)", R"("refused":true)");
  TestCluster test;
  listen_at_free_port(test);
  std::vector<std::string> steps{"await", "newconn", "send", ack};
  for (int number = 0; number < 50; ++number) {
    const std::string reply =
        R"({"cmd":"NODE_CLUSTER","ack":)" + std::to_string(number) + "," + answer + R"(}\n)";
    steps.insert(steps.end(), {"send", reply, "send", reply});
  }
  steps.insert(steps.end(), {"await-end"});
  auto wrong = fork_raw(test, steps);
  for (int i = 0; i < 2; ++i) CHECK(test.ask() == "1");
  wrong.kill(SIGKILL);
  test.end();
}

TEST_CASE(
    "row 45: a worker that does not answer keeps its connections until it dies, and gets no more",
    "[cluster]") {
  TestCluster test;
  listen_at_free_port(test);
  auto silent = fork_raw(test, {"await-end"});
  int answered = 0;
  for (int i = 0; i < 6; ++i) {
    test.connect([&](const std::string& answer) {
      answered += answer == "1";
      if (answered >= 5) test.loop->stop();
    });
  }
  test.loop.run();
  CHECK(test.ask_often(5) == std::map<std::string, int>{{"1", 5}});
  CHECK(answered == 5);
  silent.kill(SIGKILL);
  test.loop.run();
  CHECK(answered == 6);
  test.end();
}

TEST_CASE("row 45: a connection that a worker refuses to receive goes to another worker",
          "[cluster]") {
  TestCluster test;
  listen_at_free_port(test);
  std::vector<std::string> steps;
  for (int i = 0; i < 4; ++i) {
    steps.insert(steps.end(), {"await", "newconn", "send", nack});
  }
  steps.emplace_back("await-end");
  auto refusing = fork_raw(test, steps);
  ExpectCalls errors(0);
  refusing.on<"error">([&] { errors(); });
  CHECK(test.ask_often(2) == std::map<std::string, int>{{"1", 2}});
  refusing.kill(SIGKILL);
  test.end();
}

TEST_CASE("cluster: a bad worker does not end its primary, which may listen for the error",
          "[cluster]") {
  const bool listens = GENERATE(false, true);
  TestCluster test;
  test.cluster.setup_primary({.exec = test_program("raw"), .fork = {.args = {"send", "junk\n"}}});
  std::vector<std::string> errors;
  if (listens) {
    test.cluster.on<"error">([&](const tine::Worker& worker, const tine::Error& error) {
      CHECK(worker.id() == 1);
      errors.emplace_back(error.what());
    });
  }
  const auto worker = test.cluster.fork();
  test.loop.run();
  CHECK(worker.is_dead());
  REQUIRE(errors.size() == (listens ? 1 : 0));
  if (listens) CHECK_THAT(errors[0], StartsWith("worker 1 (pid "));
}

TEST_CASE("cluster: a worker that cannot be started is an error that run() throws", "[cluster]") {
  TestCluster test;
  test.cluster.setup_primary({.exec = "/nonexistent/program"});
  test.cluster.fork();
  CHECK_THROWS_WITH(test.loop.run(), ContainsSubstring("/nonexistent/program"));
  test.loop.run();
}

TEST_CASE("row 45: a worker that reports ends of connections that it never had gets its share",
          "[cluster]") {
  TestCluster test(tine::Balancing::least_connections());
  listen_at_free_port(test);
  test.workers[0].send("close");
  test.workers[0].send({{"listen", {{"host", "127.0.0.1"}, {"port", test.port}, {"hold", true}}}});
  test.wait_for_messages(1);
  test.messages.clear();
  const std::string ended = R"({"cmd":"NODE_CLUSTER","act":"connectionEnded","key":"127.0.0.1:)" +
                            std::to_string(test.port) + R"(:4:undefined"}\n)";
  auto worker = fork_raw(test, {"send", ended, "send", R"("ended"\n)", "await", "newconn", "send",
                                ack, "send", R"("got one"\n)", "await-end"});
  test.wait_for_messages(1);
  tine::Socket first(test.loop);
  tine::Socket second(test.loop);
  first.once<"data">([&] { second.connect({.host = "127.0.0.1", .port = test.port}); });
  first.connect({.host = "127.0.0.1", .port = test.port});
  test.wait_for_messages(2);
  CHECK(test.messages.back() == "got one");
  first.destroy();
  second.destroy();
  worker.kill(SIGKILL);
  test.end();
}

TEST_CASE("row 45: a listening message with an invalid port is ignored", "[cluster]") {
  const auto listening_at = [](const std::string& port) {
    return R"({"cmd":"NODE_CLUSTER","act":"listening","address":"127.0.0.1","port":)" + port +
           R"(,"addressType":4}\n)";
  };
  TestCluster test;
  std::vector<std::string> args;
  for (const char* port : {"65537", "-65535", "18446744073709551615", "1"}) {
    args.insert(args.end(), {"send", listening_at(port)});
  }
  args.emplace_back("await-end");
  test.cluster.setup_primary({.exec = test_program("raw"), .fork = {.args = args}});
  auto worker = test.cluster.fork();
  std::vector<std::uint16_t> ports;
  worker.on<"listening">([&](const tine::Address& address) {
    ports.push_back(address.port);
    test.loop->stop();
  });
  test.loop.run();
  CHECK(ports == std::vector<std::uint16_t>{1});
  worker.kill(SIGKILL);
  test.end();
}

TEST_CASE("cluster: a socket that was shut down elsewhere is an error of the workers at it",
          "[cluster]") {
  const tine::base::Descriptor socket =
      tine::net::bound_socket(*tine::net::ip_address("127.0.0.1", 0), {.type = SOCK_STREAM});
  const json at_socket{{"descriptor", socket.get()}};
  TestCluster test;
  test.listen(1, at_socket);
  std::vector<int> workers;
  test.cluster.on<"error">([&](const tine::Worker& worker, const tine::Error& error) {
    CHECK(error.code() == std::errc::invalid_argument);
    workers.push_back(worker.id());
    test.loop->stop();
  });
  test.fork();  // does not listen
  REQUIRE(::shutdown(socket.get(), SHUT_RD) == 0);
  test.loop.run();
  CHECK(workers == std::vector<int>{1});

  test.fork().send({{"listen", at_socket}});
  test.wait_for_messages(1);
  CHECK(test.messages.at(0) == json{{"error", "Invalid argument"}});
  test.end();
  CHECK(workers.size() == 1);
}

TEST_CASE("row 46: the port is open as long as a worker listens at it", "[cluster]") {
  TestCluster test;
  listen_at_free_port(test);
  for (int i = 0; i < 10; ++i) {
    test.workers.back().kill(SIGKILL);
    test.workers.back().on<"exit">([&] { test.loop->stop(); });
    test.loop.run();
    CHECK(test.ask().empty());
    test.listen(1, {{"host", "127.0.0.1"}, {"port", test.port}});
    CHECK(test.ask() == std::to_string(test.workers.back().id()));
  }
  test.end();
}

TEST_CASE("row 47: a worker that asks for too much gets little", "[cluster]") {
  TestCluster test;
  listen_at_free_port(test);
  const std::string bad[] = {
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","seq":2}\n)",
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","address":"127.0.0.1","port":99999,"addressType":4,"seq":3}\n)",
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","address":{},"port":"80","addressType":4,"seq":4}\n)",
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","address":"nowhere","port":80,"addressType":4,"seq":5}\n)",
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","port":-1,"addressType":-1,"seq":6}\n)",
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","address":null,"port":0,"addressType":4,"fd":99999,"seq":7}\n)",
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","address":null,"port":null,"fd":4294967296,"addressType":null,"seq":10}\n)",
      R"({"cmd":"NODE_CLUSTER","act":"close","key":"of nobody"}\n)",
      R"({"cmd":"NODE_CLUSTER","act":"close","key":7}\n)",
      R"({"cmd":"NODE_CLUSTER","act":"newconn","key":"of nobody","seq":8}\n)",
      R"({"cmd":"NODE_CLUSTER","act":["online"],"seq":-1}\n)",
      R"({"cmd":"NODE_CLUSTER","ack":-1}\n)",
      R"({"cmd":"NODE_CLUSTER","ack":1e300,"accepted":true}\n)",
  };
  std::vector<std::string> steps;
  for (const std::string& line : bad) steps.insert(steps.end(), {"send", line});
  const std::string one_more =
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","address":"127.0.0.1","port":0,"addressType":4,"index":INDEX,"seq":9}\n)";
  std::string many;
  for (int i = 0; i < scaled(1'500, 10'000); ++i) {
    many += one_more;
    many.replace(many.rfind("INDEX"), 5, std::to_string(i));
  }
  for (std::size_t at = 0; at < many.size(); at += 65'536) {
    steps.insert(steps.end(), {"send", many.substr(at, 65'536)});
  }
  steps.insert(steps.end(), {"await", R"("errno":-24)"});
  const std::size_t descriptors = open_descriptors().size();
  auto greedy = fork_raw(test, steps);
  bool ended = false;
  greedy.on<"exit">([&](const tine::ExitStatus& status) {
    ended = status.success();
    test.loop->stop();
  });
  test.loop.run();
  CHECK(ended);
  CHECK(open_descriptors().size() == descriptors);
  CHECK(test.ask() == "1");
  test.end();
}

TEST_CASE("row 48: no client is left waiting if workers are killed and replaced under load",
          "[cluster]") {
  const int kills = scaled(10, 200);
  TestCluster test;
  listen_at_free_port(test);
  for (int i = 0; i < 3; ++i) {
    test.fork().send({{"listen", {{"host", "127.0.0.1"}, {"port", test.port}}}});
  }
  test.wait_for_messages(3);
  const std::size_t workers = test.cluster.workers().size();
  REQUIRE(workers == 4);

  int killed = 0;
  test.cluster.on<"exit">([&](const tine::Worker&) {
    if (killed < kills) {
      test.fork().send({{"listen", {{"host", "127.0.0.1"}, {"port", test.port}}}});
    }
  });
  // Connections answered between two kills. Counted, so that a slow machine does not matter.
  constexpr int load = 100;
  int answered = 0;
  const std::function<void()> kill = [&] {
    if (answered >= (killed + 1) * load) {
      ++killed;
      auto victim = test.cluster.workers().begin()->second;
      victim.kill(SIGKILL);
    }
    if (killed < kills) test.loop->after(200ms, kill);
  };
  test.loop->after(200ms, kill);

  int late = 0;
  int open = 0;
  const std::function<void()> connect = [&] {
    ++open;
    test.connect([&, since = std::chrono::steady_clock::now()](const std::string& answer) {
      answered += !answer.empty();
      late += std::chrono::steady_clock::now() - since > soon;
      --open;
      if (killed < kills) return connect();
      if (open == 0) test.loop->stop();
    });
  };
  for (int i = 0; i < 20; ++i) connect();
  test.loop.run();
  CHECK(late == 0);
  test.end();
}

TEST_CASE("row 49: a worker ends when its primary is gone", "[cluster]") {
  RawParent worker("worker", {}, {"NODE_UNIQUE_ID=1"});
  worker.channel().read_until("online");
  worker.channel().close();
  CHECK(worker.wait() == 0);
}

TEST_CASE("row 49: a worker that kills itself does not wait for a primary that is gone",
          "[cluster]") {
  RawParent worker("worker", {}, {"NODE_UNIQUE_ID=1"});
  worker.channel().write("{\"listen\":{\"host\":\"127.0.0.1\",\"exclusive\":true}}\n");
  worker.channel().read_until("listening");
  worker.channel().write("\"kill\"\n");
  worker.channel().read_until("exitedAfterDisconnect");
  worker.channel().close();
  CHECK(worker.wait() == 0);
}

TEST_CASE("cluster: 1 000 workers are started and stopped, 20 at a time", "[cluster]") {
  const int count = scaled(60, 1'000);
  TestCluster test;
  listen_at_free_port(test);
  const std::size_t descriptors = open_descriptors().size();
  int started = 0;
  int left = count;
  const std::function<void()> start = [&] {
    if (started == count) return;
    ++started;
    auto worker = test.fork();
    worker.send({{"listen", {{"host", "127.0.0.1"}, {"port", test.port}}}});
    worker.on<"listening">([worker] { worker.disconnect(); });
    worker.on<"exit">([&] {
      if (--left == 0) test.loop->stop();
      start();
    });
  };
  for (int i = 0; i < 20; ++i) start();
  test.loop.run();
  test.workers.clear();
  CHECK(left == 0);
  CHECK(open_descriptors().size() == descriptors);
  test.end();
}
