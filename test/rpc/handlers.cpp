// What handlers get, and the progress and the notifications that they send.
#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "rpc/rpc_test.hpp"

using Numbers = std::vector<int>;

// --- progress, notifications

TEST_CASE("progress: values come in order, before the result", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Numbers came;
  asked.rpc.request("work", 3)
      .on_progress([&](const json& value) { came.push_back(value); })
      .then([&](const tine::Result<int>& result) { came.push_back(*result * 10); });
  asked.rpc.request("work", 2).then([](const tine::Result<int>& result) { CHECK(*result == 2); });
  asked.end();
  loop.run();
  CHECK(came == Numbers{1, 2, 3, 30});
}

TEST_CASE("progress: the params may choose the token", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Numbers came;
  asked.rpc.request("keep", 9)
      .on_progress("mine", [&](const json& value) { came.push_back(value); })
      .then([&] { came.push_back(0); });
  // The child sends back what is no request of its own.
  const auto report = [&](const json& token, int value) {
    asked.rpc.notify("$/progress", {{"token", token}, {"value", value}});
  };
  report("mine", 1);
  report(1, 2);
  std::vector<json> messages;
  asked.child.on<"message">([&](const json& message) { messages.push_back(message["params"]); });
  report("other", 3);
  asked.rpc.request("release").then([] {});
  asked.end();
  loop.run();
  CHECK(came == Numbers{1, 2, 0});
  REQUIRE(messages.size() == 1);
  CHECK(messages[0]["token"] == "other");
}

TEST_CASE("notification: its handler takes it; without one it is a message", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  std::vector<json> messages;
  asked.child.on<"message">([&](const json& message) { messages.push_back(message); });
  Came<int> logged;
  CHECK(asked.rpc.notify("log", 2));
  asked.rpc.notify("log", json::array({3}));
  ExpectCalls sent(1);
  asked.rpc.notify("unknown", {{"a", 1}}, [&](std::error_code error) {
    CHECK_FALSE(error);
    sent();
  });
  asked.child.send({{"id", 99}, {"result", 1}});
  asked.rpc.request("logged").then(logged.callback());
  asked.end();
  loop.run();
  CHECK(logged.value() == 5);
  REQUIRE(messages.size() == 2);
  CHECK(messages[0] == json{{"jsonrpc", "2.0"}, {"method", "unknown"}, {"params", {{"a", 1}}}});
  CHECK(messages[1] == json{{"id", 99}, {"result", 1}});  // an id that no request had
}

TEST_CASE("notification: params that do not convert are an error, exceptions come out of run()",
          "[rpc]") {
  TestLoop loop;
  auto child = loop.fork("echo");  // sends the notifications back
  const tine::Rpc rpc(child);
  std::vector<tine::Error> errors;
  child.on<"error">([&](const tine::Error& error) { errors.push_back(error); });
  child.on<"message">([child] { child.disconnect(); });
  rpc.on_notification("a", [](int) {});
  rpc.on_notification("b", [] { throw std::runtime_error("thrown"); });
  rpc.notify("a", "text");
  rpc.notify("b");
  child.send("last");
  CHECK_THROWS_AS(loop.run(), std::runtime_error);
  loop.run();
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].code() == Errc::message_type);
}

// --- handlers

TEST_CASE("handler: a later one takes the place of an earlier one, which may be running", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<int> sum;
  const auto captured = std::make_shared<int>(7);
  asked.rpc.on_request("add", [&, captured] {
    asked.rpc.on_request("add", [] { return 1; });
    return *captured;
  });
  CHECK(captured.use_count() == 2);
  asked.rpc.request("ask", 3).then(sum.callback(asked.disconnect()));
  loop.run();
  CHECK(sum.value() == 9);
  CHECK(captured.use_count() == 1);
}

TEST_CASE("handler: off() removes it, and the fallback takes what has none", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<int> sum;
  std::vector<std::string> methods;
  CHECK(asked.rpc.off("add"));
  CHECK_FALSE(asked.rpc.off("add"));
  asked.rpc.on_request(
      [&](const std::string& method, const json& params, const tine::Reply& reply) {
        methods.push_back(method + " " + reply.method());
        reply.send(params["b"]);
      });
  asked.rpc.request("ask", 2).then(sum.callback(asked.disconnect()));
  loop.run();
  CHECK(sum.value() == 2);
  CHECK(methods == std::vector<std::string>{"add add", "add add"});
}

TEST_CASE("handler: an answer that the queue has no room for is a failure that waits for drain",
          "[rpc]") {
  TestLoop loop;
  tine::ForkOptions options;
  options.channel = {.send_limit = 1'000};
  auto child = loop.fork("requests", options);
  const tine::Rpc rpc(child, patient());
  const auto held = std::make_shared<tine::Reply>();
  rpc.on_request("fill", [&](const json&, const tine::Reply& reply) {
    child.send(std::string(5'000'000, 'a'));  // more than a socket takes
    reply.send(1);
    reply.send(2);
  });
  rpc.on_request("hold", [&](const json&, const tine::Reply& reply) {
    *held = reply;
    reply.send(3);
  });
  rpc.on_request("refuse", [] { throw tine::RpcError(7, "own"); });
  std::vector<std::string> failures;
  child.on<"message">([&](const json& message) {
    if (!message.is_object()) return;
    failures.push_back(message.at("error"));
    if (failures.size() == 3) child.disconnect();
  });
  child.on<"error">([](const tine::Error& error) { FAIL(error.what()); });
  rpc.notify("request", "fill");
  rpc.notify("request", "hold");
  rpc.notify("request", "refuse");
  loop.run();
  REQUIRE(failures.size() == 3);
  std::sort(failures.begin(), failures.end());
  CHECK_THAT(failures[0], ContainsSubstring("wait to be written"));
  CHECK_THAT(failures[1], ContainsSubstring("wait to be written"));
  CHECK(failures[2] == "own");
}

TEST_CASE("handler: after its answer, what it throws comes out of run()", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<int> sum;
  asked.rpc.on_request("add", [](const json&, const tine::Reply& reply) {
    reply.send(4);
    throw std::runtime_error("thrown");
  });
  asked.rpc.request("ask", 1).then(sum.callback(asked.disconnect()));
  CHECK_THROWS_AS(loop.run(), std::runtime_error);
  loop.run();
  CHECK(sum.value() == 4);
}

TEST_CASE("handler: it takes the params in many forms", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const tine::Rpc& rpc = asked.rpc;
  Came<int> sum;
  std::vector<std::string> forms;
  const auto next = [&](const std::string& form) { forms.push_back(form); };
  const json expected{{"a", 0}, {"b", 1}};
  rpc.on_request("add", [&](const auto& params) {
    CHECK(params == expected);
    next("generic");
    rpc.on_request("add", [&](const auto& other, const auto& reply) {
      CHECK(other == json{{"a", 1}, {"b", 1}});
      next("generic with reply");
      reply.send(0);
      rpc.on_request("add", [&](const tine::Reply& only) {
        next("reply");
        only.send(0);
        rpc.on_request("add", [&](std::map<std::string, int> map) {
          next("map");
          return map.at("a");
        });
      });
    });
    return 0;
  });
  asked.rpc.request("ask", 4).then(sum.callback(asked.disconnect()));
  loop.run();
  CHECK(forms == std::vector<std::string>{"generic", "generic with reply", "reply", "map"});
  CHECK(sum.value() == 3);
}
