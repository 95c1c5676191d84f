// The keys of the servers that workers ask for. A key is free when its worker no longer needs it.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "cluster/cluster_test.hpp"
#include "net/bound_socket.hpp"
#include "net/socket_address.hpp"
#include "support/folder.hpp"
#include "support/invariants.hpp"
#include "support/no_descriptors.hpp"
#include "support/raw_peer.hpp"

namespace {

const std::string online = R"({"cmd":"NODE_CLUSTER","act":"online","seq":0}\n)";
const std::string leaving = R"({"cmd":"NODE_CLUSTER","act":"exitedAfterDisconnect","seq":9}\n)";
const std::string closed = R"({"cmd":"NODE_CLUSTER","act":"close","key":"PATH:-1:-1:undefined"}\n)";

// A worker's query for a server at a path.
const std::string query =
    R"({"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"PATH",)"
    R"("port":-1,"addressType":-1,"backlog":511,"flags":0,"seq":1}\n)";

// A worker that does the steps of raw.cpp. PATH stands for a path in a folder. The socket exists as
// long as the primary keeps it.
struct RawWorker {
  explicit RawWorker(std::vector<std::string> steps,
                     tine::Balancing balancing = tine::Balancing::round_robin())
      : test(std::move(balancing)) {
    for (std::string& step : steps) {
      const auto at = step.find("PATH");
      if (at != step.npos) step.replace(at, 4, path);
    }
    steps.insert(steps.begin(), {"send", online});
    steps.push_back("await-end");
    test.cluster.setup_primary({.exec = test_program("raw"), .fork = {.args = steps}});
    worker = test.fork();
  }

  bool socket_is_there() const { return std::filesystem::exists(path); }

  // Runs the loop until the worker sends a message.
  void wait_for_message() {
    test.messages.clear();
    test.wait_for_messages(1);
  }

  void kill() {
    worker.kill(SIGKILL);
    test.loop.run();
  }

  Folder folder;
  std::string path = folder.at("socket");
  TestCluster test;
  tine::Worker worker;
};

// A guard: while it lives, this process may have as many descriptors as the system allows.
class MoreDescriptors {
 public:
  MoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit most{before_.rlim_max, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &most);
  }
  MoreDescriptors(const MoreDescriptors&) = delete;
  MoreDescriptors& operator=(const MoreDescriptors&) = delete;
  ~MoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  bool at_least(rlim_t count) const { return before_.rlim_max >= count; }

 private:
  rlimit before_{};
};

// Returns the number of sockets that this process has.
std::ptrdiff_t open_sockets() {
  const auto descriptors = open_descriptors();
  return std::count_if(descriptors.begin(), descriptors.end(),
                       [](const auto& each) { return each.second.starts_with("socket:"); });
}

// Returns the memory that another process uses.
std::size_t resident_bytes(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6)) * 1024;
  }
  return 0;
}

// Reads whole lines, up to and including one that contains the text.
std::string lines_until(RawPeer& peer, const std::string& text) {
  std::string lines = peer.read_until(text);
  while (!lines.ends_with('\n')) lines += peer.read_until("\n");
  return lines;
}

// Returns the number that the answer to the query in these lines must have.
std::string number_of_query(const std::string& lines) {
  const std::size_t at = lines.find("\"seq\":", lines.find("queryServer")) + 6;
  return lines.substr(at, lines.find('}', at) - at);
}

}  // namespace

TEST_CASE("cluster: a key is free when its worker reports that it is closed", "[cluster]") {
  RawWorker raw({"send", query, "send", R"("asked"\n)", "await", R"("close")", "send", closed,
                 "send", R"("closed"\n)"});
  raw.wait_for_message();
  CHECK(raw.socket_is_there());
  raw.worker.send("close");
  raw.wait_for_message();
  CHECK_FALSE(raw.socket_is_there());
  raw.kill();
}

TEST_CASE("cluster: a key is free when the channel of its worker ends, even if the worker lives",
          "[cluster]") {
  RawWorker raw({"send", query, "half-close"});
  ExpectCalls reported(1);
  raw.test.cluster.on<"disconnect">([&](const tine::Worker& worker) {
    reported();
    CHECK_FALSE(worker.is_dead());
    CHECK_FALSE(raw.socket_is_there());
  });
  raw.test.loop.run();
}

TEST_CASE("cluster: a key is free as soon as its worker is asked to leave", "[cluster]") {
  RawWorker raw({"send", query, "send", R"("asked"\n)"});
  raw.wait_for_message();
  CHECK(raw.socket_is_there());
  raw.worker.disconnect();
  CHECK_FALSE(raw.socket_is_there());
  raw.kill();
}

TEST_CASE("cluster: a key is free as soon as its worker announces that it leaves", "[cluster]") {
  RawWorker raw({"send", query, "send", leaving, "send", R"("leaving"\n)"});
  raw.wait_for_message();
  CHECK_FALSE(raw.socket_is_there());
  raw.kill();
}

TEST_CASE("cluster: a worker that leaves gets no more sockets", "[cluster]") {
  const bool asked = GENERATE(true, false);  // whether the primary asks it to leave
  RawWorker raw(
      asked ? std::vector<std::string>{"await", "disconnect", "send", query, "send", R"("asked"\n)"}
            : std::vector<std::string>{"send", leaving, "send", query, "send", R"("asked"\n)"});
  if (asked) raw.worker.disconnect();
  raw.wait_for_message();
  CHECK_FALSE(raw.socket_is_there());
  raw.kill();
}

TEST_CASE("cluster: a socket that cannot be sent to its worker is closed", "[cluster]") {
  if (sanitized) return;  // UBSan needs a pipe to see whether memory can be read
  RawWorker raw(
      {"await", R"("ask")", "send", query, "await", R"("errno":-24)", "send", R"("refused"\n)"},
      tine::Balancing::none());
  raw.test.cluster.on<"online">([&] { raw.test.loop->stop(); });
  raw.test.loop.run();
  raw.worker.send("ask");
  std::optional<tine::base::Descriptor> only(::dup(STDIN_FILENO));
  {
    const NoDescriptors limit;
    only.reset();  // enough to bind a socket, but not to send a copy of it
    raw.wait_for_message();
  }
  CHECK_FALSE(raw.socket_is_there());
  raw.kill();
}

TEST_CASE("cluster: a worker cannot get a connection of the primary by naming its descriptor",
          "[cluster]") {
  using tine::net::bound_socket;
  const auto any = tine::net::ip_address("127.0.0.1", 0);
  const tine::base::Descriptor server = bound_socket(*any, {.type = SOCK_STREAM});
  REQUIRE(::listen(server.get(), 1) == 0);
  const tine::base::Descriptor client = bound_socket(*any, {.type = SOCK_STREAM});
  const std::uint16_t port = tine::net::local_address(server.get())->port;
  const auto address = tine::net::ip_address("127.0.0.1", port);
  ::connect(client.get(), address->get(), address->size);
  await_event(client.get(), POLLOUT);

  RawWorker raw({"send",
                 R"({"cmd":"NODE_CLUSTER","act":"queryServer","address":null,"port":null,"fd":)" +
                     std::to_string(client.get()) + R"(,"addressType":null,"seq":1}\n)",
                 "await", R"("errno":-22)", "send", R"("refused"\n)"},
                tine::Balancing::none());
  raw.wait_for_message();
  CHECK(raw.test.messages == std::vector<json>{"refused"});
  raw.kill();
}

TEST_CASE("cluster: a worker gets at most a thousand sockets", "[cluster]") {
  const MoreDescriptors limit;
  if (!limit.at_least(4000)) {
    WARN("there are not enough descriptors here");
    return;
  }
  std::vector<std::string> steps;
  for (int i = 0; i < 1005; ++i) {
    steps.insert(steps.end(),
                 {"send", R"({"cmd":"NODE_CLUSTER","act":"queryServer","address":"127.0.0.1",)"
                          R"("port":0,"addressType":4,"index":)" +
                              std::to_string(i) + R"(,"seq":1}\n)"});
  }
  steps.insert(steps.end(), {"send", R"("asked"\n)"});
  RawWorker raw(steps);
  const std::ptrdiff_t before = open_sockets();
  raw.wait_for_message();
  CHECK(open_sockets() - before == 1000);
  raw.kill();
}

TEST_CASE("cluster: a worker that leaves asks for no more sockets", "[cluster]") {
  RawParent worker("worker", {}, {"NODE_UNIQUE_ID=1"});
  worker.channel().read_until("online");
  worker.channel().write("\"leave\"\n{\"listen\":{\"host\":\"127.0.0.1\"}}\n");
  const std::string lines = worker.channel().read_until("exitedAfterDisconnect");
  CHECK_THAT(lines, !ContainsSubstring("queryServer"));
  worker.channel().close();
  CHECK(worker.wait() == 0);
}

TEST_CASE(
    "cluster: equal queries of a worker get different indexes while one of their servers is open",
    "[cluster]") {
  RawParent worker("worker", {}, {"NODE_UNIQUE_ID=1"});
  RawPeer& primary = worker.channel();
  const std::string answers[] = {
      R"("errno":null,"data":null,"sockname":{"address":"127.0.0.1","port":1})", R"("errno":-98)"};
  for (std::size_t i = 0; i < 3; ++i) {
    primary.write("{\"listen\":{\"host\":\"127.0.0.1\"}}\n");
    const std::string asked = lines_until(primary, "queryServer");
    CHECK_THAT(asked, ContainsSubstring("\"index\":" + std::to_string(i) + ","));
    if (i == 2) break;
    primary.write(R"({"cmd":"NODE_CLUSTER","ack":)" + number_of_query(asked) + R"(,"key":"k",)" +
                  answers[i] + "}\n");
    lines_until(primary, i == 0 ? "{\"listening\":1}" : "error");
  }
  primary.close();
  CHECK(worker.wait() == 0);
}

TEST_CASE("cluster: an invalid errno from the primary becomes an invalid argument", "[cluster]") {
  const std::string number =
      GENERATE("1", "-4096", "-5000000000", "-9223372036854775808", "18446744073709551615");
  RawParent worker("worker", {}, {"NODE_UNIQUE_ID=1"});
  RawPeer& primary = worker.channel();
  primary.write("{\"listen\":{\"host\":\"127.0.0.1\"}}\n");
  const std::string asked = lines_until(primary, "queryServer");
  primary.write(R"({"cmd":"NODE_CLUSTER","ack":)" + number_of_query(asked) + R"(,"errno":)" +
                number + ",\"key\":\"\"}\n");
  CHECK_THAT(lines_until(primary, "error"), ContainsSubstring(R"({"error":"Invalid argument"})"));
  primary.close();
  CHECK(worker.wait() == 0);
}

TEST_CASE("cluster: a worker drops the keys of closed servers", "[cluster]") {
  if (sanitized) return;  // sanitizers keep freed memory for a while
  constexpr std::size_t size_of_key = 1'000'000;
  RawParent worker("worker", {}, {"NODE_UNIQUE_ID=1"});
  RawPeer& primary = worker.channel();
  primary.read_until("online");
  std::size_t before = 0;
  for (int i = 0; i < 60; ++i) {
    if (i == 10) before = resident_bytes(worker.pid());
    primary.write("{\"listen\":{\"host\":\"127.0.0.1\"}}\n");
    const std::string asked = lines_until(primary, "queryServer");
    const std::string key = std::to_string(i) + std::string(size_of_key, 'k');
    primary.write_all(
        R"({"cmd":"NODE_CLUSTER","ack":)" + number_of_query(asked) + R"(,"key":")" + key +
        R"(","errno":null,"data":null,"sockname":{"address":"127.0.0.1","port":1}})" + "\n");
    lines_until(primary, "{\"listening\":1}");
    primary.write("\"close\"\n");
    lines_until(primary, "\"act\":\"close\"");
  }
  CHECK(resident_bytes(worker.pid()) < before + 25 * size_of_key);
}
