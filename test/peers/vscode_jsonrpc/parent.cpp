// A C++ parent of a child that uses vscode-jsonrpc.
#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "../package.hpp"

using namespace std::chrono_literals;

namespace {

struct VscodeChild : Package {
  explicit VscodeChild(TestLoop& loop,
                       tine::Serialization serialization = tine::Serialization::json)
      : Package(loop, PEERS "/vscode_jsonrpc/child.js", {}, serialization) {}
};

}  // namespace

TEST_CASE("vscode-jsonrpc: a child answers a C++ parent", "[peers]") {
  TestLoop loop;
  VscodeChild peer(loop);
  CHECK(peer.ask("add", {1, 2}) == 3);
  CHECK(peer.ask("sum", {{"a", 1}, {"b", 2}}) == 3);
  CHECK(peer.ask("nothing") == nullptr);

  ExpectCalls answered(100);
  for (int i = 0; i < 100; ++i) {
    peer.rpc.request("add", {i, 1}).then([&, i](const tine::Result<int>& sum) {
      CHECK(sum.value() == i + 1);
      answered();
    });
  }
  CHECK(peer.rpc.notify("log", {3}));
  CHECK(peer.rpc.notify("log", {4}));
  CHECK(peer.ask("logged") == 7);
  CHECK(peer.messages.empty());
  peer.end();
}

TEST_CASE("vscode-jsonrpc: a C++ parent hears why a request has failed", "[peers]") {
  TestLoop loop;
  VscodeChild peer(loop);
  const json data{{"why", {"so"}}};
  const auto failed = peer.error("fail", {{"code", 7}, {"message", "failed"}, {"data", data}});
  CHECK(failed.code() == Errc::remote_error);
  CHECK(failed.remote_code() == 7);
  CHECK(failed.what() == std::string("failed"));
  CHECK(failed.data() == data);
  const auto thrown = peer.error("throw");
  CHECK(thrown.code() == Errc::internal_error);
  CHECK(thrown.what() == std::string("Request throw failed with message: thrown"));
  CHECK(peer.error("no such method").code() == Errc::method_not_found);
  peer.end();
}

TEST_CASE("vscode-jsonrpc: a child learns that a C++ parent gives a request up", "[peers]") {
  TestLoop loop;
  VscodeChild peer(loop);
  ExpectCalls aborted(2);
  const auto fails = [&](const tine::Result<>& result) {
    CHECK(result.error().code() == Errc::aborted);
    aborted();
  };
  const auto call = peer.rpc.request("wait").then(fails);
  CHECK(peer.ask("stops") == 0);
  call.cancel();
  CHECK(peer.ask("stops") == 1);
  peer.rpc.request("wait").then(fails).cancel();
  CHECK(peer.ask("stops") == 2);
  CHECK(peer.outcome(peer.rpc.request("wait").within(20ms)).error().code() == Errc::timed_out);
  CHECK(peer.ask("stops") == 3);
  CHECK(peer.rpc.late_answers() == 3);
  peer.end();
}

TEST_CASE("vscode-jsonrpc: a child reports progress with the token of the params", "[peers]") {
  TestLoop loop;
  VscodeChild peer(loop);
  std::vector<json> steps;
  const auto result =
      peer.outcome(peer.rpc.request("work", {{"steps", 3}, {"workDoneToken", "a token"}})
                       .on_progress("a token", [&](const json& step) { steps.push_back(step); }));
  CHECK(result.value() == "done");
  CHECK(steps == std::vector<json>{1, 2, 3});
  CHECK(peer.messages.empty());
  peer.end();
}

TEST_CASE("vscode-jsonrpc: a child asks a C++ parent", "[peers]") {
  TestLoop loop;
  VscodeChild peer(loop);
  peer.rpc.on_request("multiply", [](const json& factors) {
    return factors.at("a").get<int>() * factors.at("b").get<int>();
  });
  peer.rpc.on_request("fail", [] { throw tine::RpcError(8, "of the parent", {1}); });
  std::optional<std::stop_callback<std::function<void()>>> stopped;
  peer.rpc.on_request("wait", [&](const json&, const tine::Reply& reply) {
    stopped.emplace(reply.stop_token(), [reply] { reply.fail({Errc::aborted, "stopped"}); });
  });
  std::vector<json> told;
  peer.rpc.on_notification("told", [&](const json& params) { told.push_back(params); });

  CHECK(peer.ask("ask", {"multiply", {{"a", 6}, {"b", 7}}}) == json{{"result", 42}});
  CHECK(peer.ask("ask", {"fail", json::object()}) ==
        json{{"code", 8}, {"message", "of the parent"}, {"data", {1}}});
  CHECK(peer.ask("ask", {"no such method", json::object()})["code"] == -32601);
  CHECK(peer.ask("ask and cancel", {"wait"})["code"] == -32800);
  CHECK(stopped);
  CHECK(peer.ask("tell", {"told", {{"number", 1}}}) == nullptr);
  CHECK(told == std::vector<json>{{{"number", 1}}});
  peer.end();
}

// It sends undefined where it has no params.
TEST_CASE("vscode-jsonrpc: requests with advanced serialization", "[peers]") {
  TestLoop loop;
  VscodeChild peer(loop, tine::Serialization::advanced);
  std::vector<json> came;
  peer.rpc.on_request("wait", [&](const json& params, const tine::Reply& reply) {
    came.push_back(params);
    reply.fail(tine::RpcError(9, "no"));
  });
  CHECK(peer.ask("add", {1, 2}) == 3);
  CHECK(peer.ask("nothing") == nullptr);
  CHECK(peer.error("no such method").code() == Errc::method_not_found);
  CHECK(peer.ask("ask and cancel", {"wait"})["code"] == 9);
  CHECK(came == std::vector<json>{nullptr});
  CHECK(peer.messages.empty());
  peer.end();
}

TEST_CASE("vscode-jsonrpc: requests to a child that dies fail", "[peers]") {
  TestLoop loop;
  VscodeChild peer(loop);
  CHECK(peer.ask("add", {1, 2}) == 3);
  peer.rpc.notify("die");
  const auto error = peer.error("wait");
  CHECK(error.code() == Errc::channel_closed);
  CHECK(peer.wait() == tine::ExitStatus{.signal = SIGKILL});
}
