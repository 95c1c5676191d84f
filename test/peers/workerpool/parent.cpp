// A C++ parent of a worker of workerpool.
#include <csignal>
#include <string>
#include <vector>

#include "../package.hpp"

namespace {

struct PoolWorker : Package {
  explicit PoolWorker(TestLoop& loop) : Package(loop, PEERS "/workerpool/worker.js") {}

  // Ends the worker as workerpool does.
  void terminate() {
    child.send("__workerpool-terminate__");
    CHECK(wait() == tine::ExitStatus{.code = 0});
    REQUIRE_FALSE(messages.empty());
    CHECK(messages.back() == json{{"terminating", 0}});
  }
};

}  // namespace

TEST_CASE("workerpool: its worker answers a C++ parent", "[peers]") {
  TestLoop loop;
  PoolWorker peer(loop);
  CHECK(peer.ask("add", {1, 2}) == 3);
  CHECK(peer.messages == std::vector<json>{"ready"});
  const json value{{"text", "Grüße 你好 😀"}, {"list", {nullptr, true, 0.5}}};
  CHECK(peer.ask("later", json::array({value})) == value);
  CHECK(peer.ask("nothing") == nullptr);
  CHECK(peer.ask("run", {"(a, b) => a * b", {6, 7}}) == 42);
  CHECK(peer.ask("methods").size() == 10);
  peer.terminate();
}

TEST_CASE("workerpool: a C++ parent hears why a task has failed", "[peers]") {
  TestLoop loop;
  PoolWorker peer(loop);
  const auto failed = peer.error("fail", {"in JavaScript"});
  CHECK(failed.code() == Errc::remote_error);
  CHECK(failed.remote_code() == 0);
  CHECK(failed.what() == std::string("in JavaScript"));
  CHECK(failed.data()["code"] == "E_FAIL");
  CHECK_THAT(failed.data()["stack"].get<std::string>(), StartsWith("RangeError: in JavaScript\n"));
  CHECK(peer.error("numbered", {7}).remote_code() == 7);
  CHECK(peer.error("no such method").what() == std::string("Unknown method \"no such method\""));
  peer.terminate();
}

TEST_CASE("workerpool: what its worker emits is a message", "[peers]") {
  TestLoop loop;
  PoolWorker peer(loop);
  CHECK(peer.ask("report", {2}) == "done");
  CHECK(peer.messages ==
        std::vector<json>{"ready",
                          {{"id", 1}, {"isEvent", true}, {"payload", {{"step", 1}}}},
                          {{"id", 1}, {"isEvent", true}, {"payload", {{"step", 2}}}}});
  peer.terminate();
}

// The worker takes notifications for requests.
TEST_CASE("workerpool: its worker goes on when a C++ parent gives a task up", "[peers]") {
  TestLoop loop;
  PoolWorker peer(loop);
  ExpectCalls aborted(1);
  const auto call = peer.rpc.request("never").then([&](const tine::Result<>& result) {
    CHECK(result.error().code() == Errc::aborted);
    aborted();
  });
  CHECK(peer.ask("add", {1, 2}) == 3);
  call.cancel();
  CHECK(peer.ask("add", {1, 2}) == 3);
  REQUIRE(peer.messages.size() == 2);
  CHECK(peer.messages[1]["error"]["message"] == "Unknown method \"$/cancelRequest\"");
  peer.terminate();
}

TEST_CASE("workerpool: tasks of a worker that dies fail", "[peers]") {
  TestLoop loop;
  PoolWorker peer(loop);
  ExpectCalls failed(1);
  peer.rpc.request("never").then([&](const tine::Result<>& result) {
    CHECK(result.error().code() == Errc::channel_closed);
    failed();
  });
  CHECK(peer.error("die").code() == Errc::channel_closed);
  CHECK(peer.wait() == tine::ExitStatus{.signal = SIGKILL});
}
