// A C++ parent of a child that answers requests and makes some, with no library. The child runs with
// the runtime that TINE_TEST_RUNTIME names.
#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include <sys/wait.h>

#include "../peer.hpp"
#include "interop/runtime.hpp"

using namespace std::chrono_literals;
using std::chrono::microseconds;

namespace {

struct RuntimeChild : Peer {
  explicit RuntimeChild(TestLoop& loop)
      : Peer(loop, INTEROP_SCRIPTS "/child.js", runtime::options()) {}
};

}  // namespace

TEST_CASE("runtime: the documented child of seven lines answers", "[peers]") {
  TestLoop loop;
  Peer peer(loop, RPC_DOCUMENTED "/small.js", runtime::options());
  CHECK(peer.ask("add", {{"a", 1}, {"b", 2}}) == 3);
  CHECK(peer.error("no such method").code() == Errc::internal_error);
  CHECK(peer.messages.empty());
  peer.end();
}

TEST_CASE("runtime: a child answers and asks", "[peers]") {
  TestLoop loop;
  RuntimeChild peer(loop);
  CHECK(peer.ask("add", {{"a", 1}, {"b", 2}}) == 3);
  ExpectCalls answered(100);
  for (int i = 0; i < 100; ++i) {
    peer.rpc.request("add", {{"a", i}, {"b", 1}}).then([&, i](const tine::Result<int>& sum) {
      CHECK(sum.value() == i + 1);
      answered();
    });
  }
  peer.rpc.on_request("multiply", [](int a, int b) { return a * b; });
  peer.rpc.on_request("fail", [] { throw tine::RpcError(8, "of the parent", {1}); });
  CHECK(peer.ask("ask", {"multiply", {6, 7}}) == json{{"result", 42}});
  CHECK(peer.ask("ask", {"fail"})["error"] ==
        json{{"code", 8}, {"message", "of the parent"}, {"data", {1}}});
  CHECK(peer.messages.empty());
  peer.end();
}

TEST_CASE("runtime: a child fails, reports progress and is cancelled", "[peers]") {
  TestLoop loop;
  RuntimeChild peer(loop);
  const json data{{"why", {"so"}}};
  const auto failed = peer.error("fail", {{"code", 7}, {"message", "failed"}, {"data", data}});
  CHECK(failed.remote_code() == 7);
  CHECK(failed.what() == std::string("failed"));
  CHECK(failed.data() == data);
  CHECK(peer.error("no such method").code() == Errc::method_not_found);

  std::vector<json> steps;
  const auto done = peer.outcome(
      peer.rpc.request("report", 3).on_progress([&](const json& step) { steps.push_back(step); }));
  CHECK(done.value() == "done");
  CHECK(steps == std::vector<json>{1, 2, 3});

  CHECK(peer.outcome(peer.rpc.request("wait").within(20ms)).error().code() == Errc::timed_out);
  CHECK(peer.ask("add", {{"a", 1}, {"b", 2}}) == 3);
  CHECK(peer.rpc.late_answers() == 1);
  peer.end();
}

// Deno answers no ping, but requests that come after it.
TEST_CASE("runtime: the loop of a child answers a ping", "[peers]") {
  TestLoop loop;
  RuntimeChild peer(loop);
  CHECK(peer.ask("add", {{"a", 1}, {"b", 2}}) == 3);
  if (runtime::is_deno()) {
    const auto result = peer.outcome(peer.rpc.ping().within(300ms));
    CHECK(result.error().code() == Errc::timed_out);
  } else {
    CHECK(peer.outcome(peer.rpc.ping()).value() >= 0us);
    CHECK(peer.outcome(peer.rpc.ping().within(30s)).value() < 30s);
  }
  CHECK(peer.ask("add", {{"a", 1}, {"b", 2}}) == 3);
  CHECK(peer.messages.empty());
  peer.end();
}

TEST_CASE("runtime: requests and pings of a child that is killed fail", "[peers]") {
  TestLoop loop;
  RuntimeChild peer(loop);
  CHECK(peer.ask("add", {{"a", 1}, {"b", 2}}) == 3);
  ExpectCalls failed(2);
  const auto fails = [&](const auto& result) {
    CHECK(result.error().code() == Errc::channel_closed);
    failed();
  };
  peer.child.kill(SIGSTOP);  // so that the ping is not answered
  REQUIRE(waitid(P_PID, static_cast<id_t>(*peer.child.pid()), nullptr, WSTOPPED | WNOWAIT) == 0);
  peer.rpc.request("wait").then(fails);
  peer.rpc.ping().then(fails);
  peer.child.kill(SIGKILL);
  CHECK(peer.wait() == tine::ExitStatus{.signal = SIGKILL});
}
