// Requests between C++ and Node, and the programs of docs/requests.md.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "rpc/rpc_test.hpp"

using namespace std::chrono_literals;

namespace {

// Returns the path of a program of docs/requests.md.
std::string documented(const std::string& name) { return RPC_DOCUMENTED "/" + name; }

struct NodeChild {
  explicit NodeChild(TestLoop& loop, const std::string& script = RPC_SCRIPTS "/worker.js")
      : child(tine::fork(loop, script, {.exec_path = "node"})), rpc(child) {
    child.on<"message">([this](const json& message) { messages.push_back(message); });
  }

  tine::ChildProcess child;
  tine::Rpc rpc;
  std::vector<json> messages;
};

// Returns the lines that a program writes to its stdout, sorted: answers may come in any order.
std::vector<std::string> lines_of(const std::string& command) {
  std::vector<std::string> lines;
  FILE* const program = popen(command.c_str(), "r");
  std::array<char, 256> line{};
  while (std::fgets(line.data(), line.size(), program) != nullptr) lines.emplace_back(line.data());
  CHECK(pclose(program) == 0);
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

TEST_CASE("node: a child of seven lines answers", "[rpc]") {
  TestLoop loop;
  NodeChild node(loop, documented("small.js"));
  Came<int> sum;
  Came<> missing;
  node.rpc.request("add", {{"a", 1}, {"b", 2}}).within(30s).then(sum.callback());
  node.rpc.request("no such method").then(missing.callback([&] { node.child.disconnect(); }));
  loop.run();
  CHECK(sum.value() == 3);
  CHECK(missing.error().code() == Errc::internal_error);
}

TEST_CASE("node: a child of three lines answers", "[rpc]") {
  TestLoop loop;
  NodeChild node(loop, documented("packaged.js"));
  Came<int> sum;
  Came<> missing;
  node.rpc.request("add", {{"a", 1}, {"b", 2}}).within(30s).then(sum.callback([&] {
    node.rpc.request("no such method").then(missing.callback([&] { node.child.disconnect(); }));
  }));
  loop.run();
  CHECK(sum.value() == 3);
  CHECK(missing.error().code() == Errc::method_not_found);
}

TEST_CASE("requests: the documented programs say the same to each other", "[rpc]") {
  const std::vector<std::string> said{"1\n", "2\n",         "3\n",
                                      "3\n", "cancelled\n", "division by zero\n"};
  for (const std::string child : {"child", "child.js"}) {
    INFO(child);
    CHECK(lines_of(documented("parent") + " " + documented(child)) == said);
    CHECK(lines_of(documented("coroutine") + " " + documented(child)) ==
          std::vector<std::string>{"3\n", "division by zero\n"});
    CHECK(lines_of("node " + documented("parent.js") + " " + documented(child)) == said);
  }
}

TEST_CASE("node: errors, progress, deadlines and cancellation", "[rpc]") {
  TestLoop loop;
  NodeChild node(loop);
  Came<> missing;
  Came<> failed;
  Came<> cancelled;
  Came<> late;
  Came<int> timeout;
  Came<std::string> done;
  std::vector<json> progress;
  node.rpc.request("no such method").then(missing.callback());
  node.rpc.request("fail").then(failed.callback());
  node.rpc.request("timeout").within(1h).then(timeout.callback());
  node.rpc.request("slow", 1)
      .on_progress([&](const json& value) { progress.push_back(value); })
      .then(done.callback());
  const tine::Call slow = node.rpc.request("slow", 1'000'000).then(cancelled.callback());
  node.rpc.request("add", {{"a", 1}, {"b", 2}}).then([&] {
    slow.cancel();
    node.rpc.request("slow", 1'000'000).within(10ms).then(late.callback([&] {
      node.rpc.request("slow", 10).then([&] { node.child.disconnect(); });
    }));
  });
  loop.run();
  CHECK(missing.error().code() == Errc::method_not_found);
  CHECK(failed.error().remote_code() == 7);
  CHECK(failed.error().data() == json{{"name", "Error"}});
  CHECK(timeout.value() > 3'000'000);
  CHECK(done.value() == "done");
  CHECK(progress == std::vector<json>{50});
  CHECK(cancelled.error().code() == Errc::aborted);
  CHECK(late.error().code() == Errc::timed_out);
  CHECK(node.rpc.late_answers() == 2);
  CHECK(node.messages == std::vector<json>{"ready"});
}

TEST_CASE("node: its loop answers a ping if it turns", "[rpc]") {
  TestLoop loop;
  NodeChild node(loop);
  Came<std::chrono::microseconds> idle;
  Came<std::chrono::microseconds> busy;
  Came<> killed;
  node.rpc.request("add", {{"a", 1}, {"b", 2}}).then([&] {
    node.rpc.ping().within(30s).then(idle.callback([&] {
      node.rpc.request("spin").then(killed.callback());
      node.rpc.ping().within(100ms).then(busy.callback([&] { node.child.kill(SIGKILL); }));
    }));
  });
  loop.run();
  CHECK(idle.value() < 30s);
  CHECK(busy.error().code() == Errc::timed_out);
  CHECK(killed.error().exit_status() == tine::ExitStatus{.signal = SIGKILL});
  CHECK(node.messages == std::vector<json>{"ready"});
}

TEST_CASE("node: a ping comes neither before nor behind a handle that is on its way", "[rpc]") {
  TestLoop loop;
  NodeChild node(loop);
  int pongs = 0;
  int answers = 0;
  node.child.on<"error">([](const tine::Error& error) { FAIL(error.what()); });
  node.rpc.request("add", {{"a", 1}, {"b", 2}}).then([&] {
    for (int i = 0; i < 20; ++i) {
      tine::Server server(loop);
      server.on<"listening">([&, server] {
        node.rpc.ping().then([&](const tine::Result<std::chrono::microseconds>& result) {
          pongs += static_cast<bool>(result);
        });
        node.rpc.request("add", {{"a", 1}, {"b", 2}})
            .with(server)
            .then([&, server](const tine::Result<int>& sum) {
              CHECK(sum.value() == 3);
              server.close();
              if (++answers == 20) node.child.kill();  // the servers would keep it running
            });
        node.rpc.ping().then([&](const tine::Result<std::chrono::microseconds>& result) {
          pongs += static_cast<bool>(result);
        });
      });
      server.listen({.host = "127.0.0.1"});
    }
  });
  loop.run();
  CHECK(pongs == 40);
  CHECK(answers == 20);
}
