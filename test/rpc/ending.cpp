// What becomes of requests when the channel ends, and when a process ends.
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rpc/rpc_test.hpp"
#include "support/escaped.hpp"
#include "support/raw_peer.hpp"

using namespace std::chrono_literals;
using Log = std::vector<std::string>;

namespace {

void record_events(const tine::ChildProcess& child, Log& log) {
  child.on<"message">([&](const json& message) { log.push_back(message.dump()); });
  child.on<"disconnect">([&] { log.emplace_back("disconnect"); });
  child.on<"exit">([&] { log.emplace_back("exit"); });
  child.on<"close">([&] { log.emplace_back("close"); });
}

auto record_failure(Log& log, const std::string& name) {
  return [&log, name](const tine::Result<>& result) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code() == Errc::channel_closed);
    const auto status = result.error().exit_status();
    log.push_back(name + (status ? ", " + to_string(*status) : ""));
  };
}

}  // namespace

TEST_CASE("ending: requests to a child that is killed fail in order, after what came, before close",
          "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Log log;
  record_events(asked.child, log);
  for (int i = 1; i <= 3; ++i) {
    asked.rpc.request("keep").within(1h).then(record_failure(log, "request " + std::to_string(i)));
  }
  asked.child.send("last");
  asked.rpc.notify("die");
  loop.run();
  CHECK(log == Log{"\"last\"", "disconnect", "request 1, signal 9 (Killed)",
                   "request 2, signal 9 (Killed)", "request 3, signal 9 (Killed)", "exit",
                   "close"});
  CHECK(asked.rpc.pending() == 0);
}

TEST_CASE("ending: answers that were sent before the child's end are not lost", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  constexpr int many = 1000;
  int came = 0;
  for (int i = 0; i < many; ++i) {
    asked.rpc.request("echo", i).then(
        [&](const tine::Result<>& result) { came += static_cast<bool>(result); });
  }
  Came<> last;
  asked.rpc.notify("exit", 7);
  asked.rpc.request("echo").then(last.callback());
  loop.run();
  CHECK(came == many);
  CHECK(last.error().exit_status() == tine::ExitStatus{.code = 7});
}

TEST_CASE("ending: a child that is killed at any byte of its answer", "[rpc]") {
  const std::string answer = "{\"id\":1,\"result\":3}\n";
  for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
    TestLoop loop;
    auto child = loop.fork(
        "raw", {.args = {"await", "\n", "prefix", std::to_string(cut), escaped(answer), "kill"}});
    const tine::Rpc rpc(child, patient());
    Came<int> first;
    Came<> second;
    rpc.request("add").within(1h).then(first.callback());
    rpc.request("add").then(second.callback());
    loop.run();
    if (cut == answer.size()) {
      CHECK(first.value() == 3);
    } else {
      CHECK(first.error().exit_status() == tine::ExitStatus{.signal = SIGKILL});
    }
    CHECK(second.error().exit_status() == tine::ExitStatus{.signal = SIGKILL});
  }
}

TEST_CASE("ending: one that throws does not keep the others from failing, before exit", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Log log;
  record_events(asked.child, log);
  asked.rpc.request("keep").then([] { throw std::runtime_error("thrown"); });
  asked.rpc.request("keep").then(record_failure(log, "second"));
  asked.rpc.notify("die");
  CHECK_THROWS_AS(loop.run(), std::runtime_error);
  CHECK(log == Log{"disconnect"});
  loop.run();
  CHECK(log == Log{"disconnect", "second, signal 9 (Killed)", "exit", "close"});
}

TEST_CASE("ending: a child that lives on is not waited for", "[rpc]") {
  TestLoop loop;
  Asked asked(loop, {}, {});
  Log log;
  record_events(asked.child, log);
  const auto start = std::chrono::steady_clock::now();
  asked.rpc.request("keep").then([&](const tine::Result<>& result) {
    CHECK(std::chrono::steady_clock::now() - start < soon);
    record_failure(log, "request")(result);
    asked.child.kill(SIGKILL);
  });
  asked.rpc.notify("live on");
  loop.run();
  CHECK(log == Log{"disconnect", "request", "exit", "close"});
}

TEST_CASE("ending: a request that is made after the end fails, and says how the child has ended",
          "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<> came;
  Came<> in_close;
  Came<std::chrono::microseconds> ping;
  asked.child.on<"close">([&] { asked.rpc.request("echo").then(in_close.callback()); });
  asked.rpc.notify("exit", 3);
  loop.run();
  asked.rpc.request("echo").within(1h).then(came.callback());
  asked.rpc.ping().then(ping.callback());
  CHECK_FALSE(asked.rpc.notify("log", 1));
  loop.run();
  for (const auto& error : {came.error(), in_close.error(), ping.error()}) {
    CHECK(error.code() == Errc::channel_closed);
    CHECK(error.exit_status() == tine::ExitStatus{.code = 3});
    CHECK_THAT(error.what(), ContainsSubstring("code 3"));
  }
}

TEST_CASE("ending: an Rpc that outlives all other handles to its child", "[rpc]") {
  TestLoop loop;
  std::optional<Asked> asked(std::in_place, loop);
  const tine::Rpc rpc = asked->rpc;
  asked->end();
  loop.run();
  asked.reset();
  Came<> came;
  ExpectCalls sent(1);
  rpc.request("echo").then(came.callback());
  CHECK_FALSE(rpc.notify("log", 1, [&](std::error_code error) {
    CHECK(error == Errc::channel_closed);
    sent();
  }));
  loop.run();
  CHECK(came.error().code() == Errc::channel_closed);
  CHECK(came.error().exit_status() == tine::ExitStatus{.code = 0});
}

TEST_CASE("ending: a child that could not be started", "[rpc]") {
  TestLoop loop;
  auto child = tine::fork(loop, "/nowhere/at/all");
  child.on<"error">([] {});
  const tine::Rpc rpc(child, patient());
  Came<> came;
  rpc.request("echo").then(came.callback());
  loop.run();
  CHECK(came.error().code() == std::errc::no_such_file_or_directory);
}

TEST_CASE("ending: handlers and callbacks are destroyed with the child", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const auto captured = std::make_shared<int>();
  asked.rpc.on_request("a", [captured, rpc = asked.rpc] {});
  asked.rpc.on_request([captured, rpc = asked.rpc] {});
  asked.rpc.on_notification("a", [captured, rpc = asked.rpc] {});
  const tine::Call call = asked.rpc.request("echo").on_progress([captured] {}).then([captured] {});
  CHECK(captured.use_count() == 6);
  asked.end();
  loop.run();
  CHECK(captured.use_count() == 1);
  CHECK_FALSE(call.pending());
}

TEST_CASE("ending: requests of a child whose parent is gone fail", "[rpc]") {
  RawParent child("requests", {"silent"});
  child.channel().write("{\"method\":\"outlive\"}\n");
  child.channel().read_until("anything");
  child.channel().close();
  CHECK(child.wait() == 3);
}

TEST_CASE("ending: when the channel has ended, a request is stopped and not answered", "[rpc]") {
  RawParent child("requests", {"silent"});
  child.channel().write("{\"method\":\"outlast\",\"id\":1}\n{\"method\":\"echo\",\"id\":2}\n");
  child.channel().read_until("\"id\":2");
  child.channel().close();
  CHECK(child.wait() == 5);
}

TEST_CASE("ending: requests of a Process that is destroyed fail", "[rpc]") {
  RawParent child("requests", {"leave"});
  CHECK(child.wait() == 0);
}

TEST_CASE("ending: handlers keep a child running until its parent disconnects", "[rpc]") {
  RawParent child("requests", {"silent"});
  child.channel().write("{\"method\":\"echo\",\"id\":1}\n");
  child.channel().read_until("\n");
  child.channel().write("{\"method\":\"echo\",\"id\":2}\n");
  child.channel().read_until("\n");
  child.channel().close();
  CHECK(child.wait() == 0);
}
