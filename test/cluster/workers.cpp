// Workers and their events.
#include <csignal>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/cluster_test.hpp"
#include "support/folder.hpp"

using namespace std::chrono_literals;
using Log = std::vector<std::string>;

namespace {

std::string text_of(std::optional<bool> flag) { return flag ? (*flag ? "true" : "false") : "none"; }

void log_all(tine::Cluster& cluster, Log& log) {
  cluster.on<"fork">([&](const tine::Worker&) { log.emplace_back("fork"); });
  cluster.on<"online">([&](const tine::Worker&) { log.emplace_back("online"); });
  cluster.on<"listening">([&](const tine::Worker&) { log.emplace_back("listening"); });
  cluster.on<"disconnect">([&](tine::Worker worker) {
    log.push_back("disconnect " + text_of(worker.exited_after_disconnect()));
  });
  cluster.on<"exit">([&](tine::Worker worker, const tine::ExitStatus& status) {
    log.push_back("exit " + to_string(status) + " " + text_of(worker.exited_after_disconnect()));
  });
}

}  // namespace

TEST_CASE("cluster: the events of a worker come in order", "[cluster]") {
  TestCluster test;
  Log log;
  log_all(test.cluster, log);
  CHECK(test.cluster.is_primary());
  CHECK_FALSE(test.cluster.worker());

  auto worker = test.fork();
  CHECK(worker.id() == 1);
  CHECK(worker.process().pid());
  CHECK(worker.is_connected());
  CHECK_FALSE(worker.is_dead());
  CHECK_FALSE(worker.exited_after_disconnect());
  Log its;
  worker.on<"online">([&] { its.emplace_back("online"); });
  worker.on<"listening">(
      [&](const tine::Address& address) { its.push_back("listening " + address.host); });
  worker.on<"disconnect">([&] { its.emplace_back("disconnect"); });
  worker.on<"exit">([&] { its.emplace_back("exit"); });
  worker.send({{"listen", {{"host", "127.0.0.1"}}}});
  test.wait_for_messages(1);
  CHECK(test.cluster.workers() == std::map<int, tine::Worker>{{1, worker}});
  worker.disconnect();
  CHECK(test.cluster.workers().empty());
  test.loop.run();

  CHECK(log == Log{"fork", "online", "listening", "disconnect true", "exit code 0 true"});
  CHECK(its == Log{"online", "listening 127.0.0.1", "disconnect", "exit"});
  CHECK(worker.is_dead());
  CHECK_FALSE(worker.is_connected());
}

TEST_CASE("cluster: it is known how a worker has ended", "[cluster]") {
  const auto [how, expected] = GENERATE(
      table<std::string, Log>({{"leave", {"disconnect true", "exit code 0 true"}},
                               {"kill", {"disconnect true", "exit code 0 true"}},
                               {"cut", {"disconnect none", "exit code 0 false"}},
                               {"abort", {"disconnect none", "exit signal 6 (Aborted) false"}}}));
  TestCluster test;
  test.listen(1);
  Log log;
  log_all(test.cluster, log);
  test.workers[0].send(how);
  test.loop.run();
  CHECK(log == expected);
}

TEST_CASE("cluster: a primary can kill a worker at once", "[cluster]") {
  TestCluster test;
  test.listen(1);
  Log log;
  log_all(test.cluster, log);
  test.workers[0].kill(SIGKILL);
  test.loop.run();
  CHECK(log == Log{"disconnect none", "exit signal 9 (Killed) false"});
}

TEST_CASE("cluster: a program that cannot be started is an error of its worker", "[cluster]") {
  TestCluster test;
  test.cluster.setup_primary({.exec = "/no/such/program"});
  auto worker = test.fork();
  std::error_code error;
  worker.on<"error">([&](const tine::Error& what) { error = what.code(); });
  bool called = false;
  test.cluster.disconnect([&] { called = true; });
  test.loop.run();
  CHECK(error == std::errc::no_such_file_or_directory);
  CHECK(called);
}

TEST_CASE("cluster: an invalid fork option is an error of the worker", "[cluster]") {
  TestCluster test;
  test.cluster.setup_primary({.fork = {.nice = 20}});
  auto worker = test.fork();
  std::error_code error;
  worker.on<"error">([&](const tine::Error& what) { error = what.code(); });
  test.loop.run();
  CHECK(error == tine::Errc::out_of_range);
}

TEST_CASE("cluster: messages go both ways between primary and worker", "[cluster]") {
  TestCluster test;
  auto worker = test.fork();
  std::vector<int> numbers;
  worker.on<"message">([&](int number) { numbers.push_back(number); });
  worker.send(1);
  worker.send(2);
  test.wait_for_messages(2);
  CHECK(numbers == std::vector<int>{1, 2});
  CHECK(test.messages == std::vector<json>{1, 2});
  test.end();
}

TEST_CASE("cluster: with advanced serialization, messages and connections go to the workers",
          "[cluster]") {
  TestCluster test(GENERATE(tine::Balancing::round_robin(), tine::Balancing::none()));
  test.cluster.setup_primary({.fork = {.serialization = tine::Serialization::advanced}});
  test.listen(2);
  const json bytes = json::binary({'h', 'i'});
  test.workers[0].send(bytes);
  test.wait_for_messages(1);
  CHECK(test.messages[0] == bytes);
  for (const auto& [worker, count] : test.ask_often(4)) CHECK((worker == "1" || worker == "2"));
  test.end();
}

TEST_CASE("cluster: shared buffers go both ways between primary and worker", "[cluster]") {
  TestCluster test;
  auto worker = test.fork();
  Log came;
  worker.on<"message">([&](const json& message, const tine::SharedBuffer& buffer) {
    came.push_back(message.dump() + " with " + std::string(buffer.text()));
  });
  test.cluster.on<"message">([&](tine::Worker, const json&, const tine::SharedBuffer& buffer) {
    came.push_back("cluster: " + std::string(buffer.text()));
  });
  worker.send({{"frame", 7}}, tine::SharedBuffer("picture"));
  test.wait_for_messages(1);
  CHECK(came == Log{"{\"frame\":7} with picture", "cluster: picture"});
  test.end();
}

TEST_CASE("cluster: a listener that keeps a message leaves it for the cluster's listener",
          "[cluster]") {
  TestCluster test;
  auto worker = test.fork();
  std::vector<json> kept;
  worker.on<"message">([&](json message) { kept.push_back(std::move(message)); });
  worker.send({{"n", 1}});
  test.wait_for_messages(1);
  CHECK(kept == std::vector<json>{{{"n", 1}}});
  CHECK(test.messages == kept);
  test.end();
}

TEST_CASE("cluster: settings are merged, and each setup_primary() emits setup", "[cluster]") {
  TestLoop loop;
  tine::Cluster cluster(loop);
  ExpectCalls setup(2);
  cluster.on<"setup">([&] { setup(); });
  cluster.setup_primary({.exec = test_program("report"), .fork = {.args = {"one"}}});
  cluster.setup_primary({.fork = {.env = {{"ADDED", "for all"}}}});
  CHECK(cluster.settings().fork.args == std::vector<std::string>{"one"});
  std::map<int, json> reports;
  cluster.on<"message">(
      [&](tine::Worker worker, const json& report) { reports[worker.id()] = report; });
  cluster.fork();
  cluster.fork({{"ADDED", "for one"}});
  loop.run();
  REQUIRE(reports.size() == 2);
  CHECK(reports[1]["args"][1] == "one");
  CHECK(reports[1]["env"]["ADDED"] == "for all");
  CHECK(reports[2]["env"]["ADDED"] == "for one");
  CHECK(reports[1]["env"]["NODE_UNIQUE_ID"] == nullptr);
}

TEST_CASE("cluster: disconnect() calls back when no worker is left, even if there was none",
          "[cluster]") {
  const int count = GENERATE(0, 3);
  TestCluster test;
  test.listen(count);
  ExpectCalls called(1);
  test.cluster.disconnect([&] {
    called();
    CHECK(test.cluster.workers().empty());
  });
  test.loop.run();
}

TEST_CASE("cluster: a worker's Process may outlive its Cluster", "[cluster]") {
  TestCluster test;
  test.cluster.setup_primary({.fork = {.args = {"without cluster"}}});
  test.fork().send(1);
  test.wait_for_messages(1);
  CHECK(test.messages == std::vector<json>{1});
  test.end();
}

TEST_CASE("cluster: a worker that leaves first serves its connections", "[cluster]") {
  TestCluster test;
  test.listen(1, {{"host", "127.0.0.1"}, {"hold", true}});
  tine::Socket client(test.loop);
  bool dead = false;
  client.on<"data">([&] {
    test.workers[0].disconnect();
    test.loop->after(20ms, [&] {
      CHECK_FALSE(dead);
      client.end();
    });
  });
  test.workers[0].on<"exit">([&](const tine::ExitStatus& status) {
    dead = true;
    CHECK(status.success());
  });
  client.connect({.host = "127.0.0.1", .port = test.port});
  test.loop.run();
  CHECK(dead);
}

TEST_CASE("cluster: by default, workers run the same program with the same arguments",
          "[cluster]") {
  TestLoop loop;
  auto primary = loop.fork("primary", {.args = {"an", "argument"}});
  json report;
  primary.on<"message">([&](const json& message) { report = message; });
  loop.run();
  CHECK(report == json{{"args", {"an", "argument"}}, {"id", 1}});
}

TEST_CASE("cluster: after the program's file was replaced, workers run the new file", "[cluster]") {
  const Folder folder;
  const auto program = folder.at("program");
  std::filesystem::copy_file(test_program("primary"), program);
  TestLoop loop;
  auto primary = tine::fork(loop, program, {.args = {"later"}});
  json report;
  primary.on<"error">([&](const tine::Error& error) { report = error.what(); });
  primary.on<"message">([&](const json& message) {
    report = message;
    primary.disconnect();
  });
  primary.on<"spawn">([&] {
    std::filesystem::copy_file(test_program("primary"), folder.at("new"));
    std::filesystem::rename(folder.at("new"), program);
    primary.send("fork");
  });
  loop.run();
  CHECK(report == json{{"args", {"later"}}, {"id", 1}});
}

TEST_CASE("worker: adding a listener in another thread ends the program with a message",
          "[cluster]") {
  const bool is_worker = GENERATE(false, true);  // otherwise the program is a primary
  TestCluster test;
  tine::ForkOptions options{.args = {"worker's listener in another thread"}};
  options.stdio = {tine::Stdio::inherit(), tine::Stdio::inherit(), tine::Stdio::pipe(),
                   tine::Stdio::ipc()};
  test.cluster.setup_primary({.exec = test_program("embedded"), .fork = options});
  const tine::ChildProcess program =
      is_worker ? test.fork().process() : test.loop.fork("embedded", options);
  std::string err;
  program.err().on<"data">([&](std::string_view data) { err += data; });
  std::optional<int> signal;
  program.on<"exit">([&](const tine::ExitStatus& status) { signal = status.signal; });
  test.loop.run();
  CHECK(signal == SIGABRT);
  CHECK_THAT(err, ContainsSubstring("is used by another thread than the one that runs it"));
}

TEST_CASE("worker: an empty handle has no process and does nothing", "[cluster]") {
  const tine::Worker worker;
  CHECK_FALSE(worker);
  worker.on<"exit">([] { FAIL("called"); });
  CHECK_FALSE(worker.send("lost"));
  worker.disconnect();
  worker.kill();
  CHECK(worker.id() == 0);
  CHECK_FALSE(worker.process());
  CHECK_FALSE(worker.is_connected());
  CHECK_FALSE(worker.is_dead());
  CHECK_FALSE(worker.exited_after_disconnect());
  CHECK_FALSE(worker.channel());
}
