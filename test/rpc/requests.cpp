// Requests to a child, and requests of the child: test/programs/requests.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "rpc/rpc_test.hpp"
#include "support/folder.hpp"
#include "support/scale.hpp"

using namespace std::chrono_literals;
using Numbers = std::vector<int>;

// --- results

TEST_CASE("request: the result has the type that the callback takes", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<int> number;
  Came<std::string> text;
  Came<> value;
  ExpectCalls without(1);
  ExpectCalls generic(1);
  asked.rpc.request("add", {{"a", 1}, {"b", 2}}).then(number.callback());
  asked.rpc.request("join", {"a", "b"}).then(text.callback());
  asked.rpc.request("nothing").then(value.callback());
  asked.rpc.request("nothing").then([&] { without(); });
  asked.rpc.request<int>("length", "abc").then([&](const auto& result) {
    CHECK(*result == 3);
    generic();
  });
  CHECK(asked.rpc.pending() == 5);
  asked.end();
  loop.run();
  CHECK(number.value() == 3);
  CHECK(text.value() == "ab");
  CHECK(value.value() == nullptr);
  CHECK(asked.rpc.pending() == 0);
}

TEST_CASE("request: one value is also taken from an array of one", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<int> length;
  asked.rpc.request("length", json::array({"abc"})).then(length.callback());
  asked.end();
  loop.run();
  CHECK(length.value() == 3);
}

TEST_CASE("request: what fails at the peer fails here with the peer's words", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const auto error_of = [&](const std::string& method, const json& params = nullptr) {
    Came<> came;
    asked.rpc.request(method, params).then([&](tine::Result<> result) {
      came.callback()(std::move(result));
      loop->stop();
    });
    loop.run();
    return came.error();
  };
  const auto own = error_of("fail", {{"code", 7}, {"message", "own"}, {"data", {1, 2}}});
  CHECK(own.code() == Errc::remote_error);
  CHECK(own.remote_code() == 7);
  CHECK(own.what() == std::string("own"));
  CHECK(own.data() == json{1, 2});
  CHECK_FALSE(own.exit_status());
  const auto thrown = error_of("throw");
  CHECK(thrown.code() == Errc::internal_error);
  CHECK(thrown.remote_code() == -32603);
  CHECK(thrown.what() == std::string("thrown"));
  CHECK(error_of("throw a number").code() == Errc::internal_error);
  const auto missing = error_of("no such method");
  CHECK(missing.code() == Errc::method_not_found);
  CHECK(missing.remote_code() == -32601);
  CHECK_THAT(missing.what(), ContainsSubstring("no such method"));
  CHECK(error_of("add", {{"a", 1}}).code() == Errc::invalid_params);
  CHECK(error_of("add", "x").remote_code() == -32602);
  CHECK(error_of("join", {"a"}).code() == Errc::invalid_params);
  CHECK(error_of("join", {"a", "b", "c"}).code() == Errc::invalid_params);
  CHECK(error_of("join", {"a", 1}).code() == Errc::invalid_params);
  CHECK(error_of("join", "ab").code() == Errc::invalid_params);
  CHECK(error_of("length", json::array({"a", "b"})).code() == Errc::invalid_params);
  CHECK_THAT(error_of("refuse").what(), StartsWith("refused"));
  CHECK(error_of("refuse").remote_code() == -32602);
  CHECK(error_of("drop").code() == Errc::internal_error);
  CHECK(error_of("not UTF-8").code() == Errc::internal_error);
  asked.end();
  loop.run();
}

TEST_CASE("request: a result that does not convert is an error", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<int> came;
  asked.rpc.request("echo", "text").then(came.callback());
  asked.end();
  loop.run();
  CHECK(came.error().code() == Errc::message_type);
  CHECK(came.error().remote_code() == 0);
}

TEST_CASE("request: value() throws the error", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  asked.rpc.request("throw").then([](const tine::Result<>& result) { result.value(); });
  asked.end();
  CHECK_THROWS_AS(loop.run(), tine::RpcError);
  loop.run();
}

TEST_CASE("request: only the first answer counts", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<int> came;
  asked.rpc.request("twice").then(came.callback());
  asked.end();
  loop.run();
  CHECK(came.value() == 1);
  CHECK(asked.rpc.late_answers() == 0);
}

TEST_CASE("request: answers may come in any order", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Numbers order;
  for (int i = 0; i < 3; ++i) {
    asked.rpc.request("keep", i).then(
        [&](const tine::Result<int>& result) { order.push_back(*result); });
  }
  asked.rpc.request("echo").then([&] { order.push_back(9); });
  asked.rpc.request("release").then([] {});
  asked.end();
  loop.run();
  CHECK(order == Numbers{9, 0, 1, 2});
}

TEST_CASE("request: one that is not given then() is not sent", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  { const auto dropped = asked.rpc.request("keep").within(1ms).stop({}); }
  Came<int> kept;
  asked.rpc.request("kept").then(kept.callback());
  asked.end();
  loop.run();
  CHECK(kept.value() == 0);
}

TEST_CASE("request: a callback is not called in then(), even if the request is refused", "[rpc]") {
  TestLoop loop;
  Asked asked(loop, {}, {.pending_limit = 1});
  Came<> first;
  Came<> refused;
  Came<> invalid;
  asked.rpc.request("echo", 1).then(first.callback([&] {
    asked.rpc.request("echo", "\xFF").then(invalid.callback([&] { asked.end(); }));
    CHECK_FALSE(invalid.has_come());
  }));
  const tine::Call call = asked.rpc.request("echo", 2).then(refused.callback());
  CHECK_FALSE(refused.has_come());
  CHECK(call.pending());
  CHECK(asked.rpc.pending() == 1);
  loop.run();
  CHECK(first.value() == 1);
  CHECK(refused.error().code() == Errc::queue_full);
  CHECK_FALSE(call.pending());
  CHECK(invalid.error().code() == Errc::invalid_value);
}

TEST_CASE("request: a callback may do anything", "[rpc]") {
  TestLoop loop;
  auto asked = std::make_unique<Asked>(loop);
  ExpectCalls called(2);
  asked->rpc.request("echo").then([&] {
    called();
    asked->rpc.request("echo").then([&] {
      called();
      asked->child.disconnect();
      asked.reset();
    });
  });
  loop.run();
}

// --- both directions

TEST_CASE("requests: both ends ask each other at once", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const int many = scaled(10'000, 50'000);
  Came<int> sum;
  int came = 0;
  const auto look = [&] {
    if (came == many && sum.has_come()) asked.child.disconnect();
  };
  asked.rpc.request("ask", many).then(sum.callback(look));
  for (int i = 0; i < many; ++i) {
    asked.rpc.request("echo", i).then([&, i](const tine::Result<int>& result) {
      if (result.value() != i) FAIL("the answer is another request's");
      ++came;
      look();
    });
  }
  loop.run();
  CHECK(came == many);
  CHECK(sum.value() == many * (many - 1) / 2 + many);
}

TEST_CASE("requests: the parent asks the child that asks the parent, 100 deep", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  int most = 0;
  int deep = 0;
  asked.rpc.on_request("descend", [&](int depth, const tine::Reply& reply) {
    most = std::max(most, ++deep);
    asked.rpc.request("descend", depth - 1).then([&, reply](const tine::Result<int>& result) {
      --deep;
      reply.send(*result + 1);
    });
  });
  Came<int> depth;
  asked.rpc.request("descend", 100).then(depth.callback(asked.disconnect()));
  loop.run();
  CHECK(depth.value() == 100);
  CHECK(most == 50);
}

TEST_CASE("requests: all Rpc of one channel end are the same", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const tine::Rpc other(asked.child);
  Came<int> sum;
  other.on_request("add", [] { return 5; });
  asked.rpc.request("ask", 1).then(sum.callback(asked.disconnect()));
  CHECK(other.pending() == 1);
  loop.run();
  CHECK(sum.value() == 5);
}

TEST_CASE("requests: an empty handle does nothing", "[rpc]") {
  const tine::Rpc none;
  const tine::Rpc of_none{tine::ChildProcess()};
  CHECK_FALSE(none);
  CHECK_FALSE(of_none);
  const auto captured = std::make_shared<int>();
  const tine::Call call =
      of_none.request("a").within(1s).on_progress([captured] {}).then([captured] {});
  CHECK(captured.use_count() == 1);
  CHECK_FALSE(call);
  call.cancel();
  CHECK_FALSE(call.pending());
  none.on_request("a", [] {});
  none.on_notification("a", [] {});
  CHECK_FALSE(none.off("a"));
  CHECK_FALSE(none.notify("a"));
  none.ping().then([] {});
  CHECK(none.pending() == 0);
  const tine::Reply reply;
  reply.send(1);
  CHECK_FALSE(reply.progress(1));
  CHECK_FALSE(reply.stop_token().stop_possible());
}

// --- giving up

TEST_CASE("cancel: the request fails, the peer stops, and its answer is dropped", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<> came;
  Came<int> stops;
  const tine::Call call = asked.rpc.request("wait").then(came.callback());
  asked.rpc.request("echo").then([&] {
    CHECK(call.pending());
    call.cancel();
    call.cancel();
    CHECK_FALSE(came.has_come());
    CHECK(asked.rpc.pending() == 0);
    asked.rpc.request("stops").then(stops.callback());
    asked.end();
  });
  loop.run();
  CHECK(came.error().code() == Errc::aborted);
  CHECK(came.error().remote_code() == 0);
  CHECK_FALSE(call.pending());
  CHECK(stops.value() == 1);
  CHECK(asked.rpc.late_answers() == 1);
}

TEST_CASE("cancel: after the answer it does nothing", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<int> came;
  tine::Call call;
  call = asked.rpc.request("echo", 1).then(came.callback());
  asked.rpc.request("echo").then([&] {
    call.cancel();
    asked.end();
  });
  loop.run();
  CHECK(came.value() == 1);
}

TEST_CASE("stop: any thread may request it", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  std::stop_source source;
  Came<> came;
  asked.rpc.request("wait").stop(source.get_token()).then([&](tine::Result<> result) {
    came.callback()(std::move(result));
    asked.end();
  });
  std::thread thread;
  asked.rpc.request("echo").then([&] { thread = std::thread([&] { source.request_stop(); }); });
  loop.run();
  thread.join();
  CHECK(came.error().code() == Errc::aborted);
}

TEST_CASE("stop: while answers come, each request is settled once", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  constexpr int many = 2000;
  std::vector<std::stop_source> sources(many);
  std::atomic<int> sent = 0;
  int settled = 0;
  std::thread thread([&] {
    for (int i = 0; i < many; ++i) {
      while (sent.load() <= i) std::this_thread::yield();
      sources[static_cast<std::size_t>(i)].request_stop();
    }
  });
  const std::function<void()> next = [&] {
    const int i = sent.load();
    if (i == many) return asked.child.disconnect();
    asked.rpc.request("echo", i)
        .stop(sources[static_cast<std::size_t>(i)].get_token())
        .then([&](const tine::Result<>&) {
          ++settled;
          next();
        });
    ++sent;
  };
  next();
  loop.run();
  thread.join();
  CHECK(settled == many);
}

TEST_CASE("stop: if it was requested before, nothing is sent", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  std::stop_source source;
  source.request_stop();
  Came<> came;
  Came<int> kept;
  asked.rpc.request("keep").stop(source.get_token()).then(came.callback());
  asked.rpc.request("kept").then(kept.callback());
  asked.end();
  loop.run();
  CHECK(came.error().code() == Errc::aborted);
  CHECK(kept.value() == 0);
}

TEST_CASE("stop: one that comes after the answer finds nothing", "[rpc]") {
  TestLoop loop;
  std::stop_source source;
  {
    Asked asked(loop);
    Came<int> came;
    asked.rpc.request("echo", 1).stop(source.get_token()).then(came.callback());
    asked.end();
    loop.run();
    CHECK(came.value() == 1);
  }
  source.request_stop();
  loop.run();
}

TEST_CASE("within: a request that is not answered in time fails, and the peer stops", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<> came;
  Came<int> stops;
  const auto start = std::chrono::steady_clock::now();
  asked.rpc.request("echo").then([&] {
    asked.rpc.request("wait").within(20ms).then([&](tine::Result<> result) {
      CHECK(std::chrono::steady_clock::now() - start >= 20ms);
      came.callback()(std::move(result));
      asked.rpc.request("stops").then(stops.callback());
      asked.end();
    });
  });
  loop.run();
  CHECK(came.error().code() == Errc::timed_out);
  CHECK(stops.value() == 1);
}

TEST_CASE("within: deadlines are independent of each other", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<> longer;
  Came<> shorter;
  tine::Call call = asked.rpc.request("keep").within(1h).then(longer.callback());
  asked.rpc.request("keep").within(20ms).then(shorter.callback([&] {
    CHECK_FALSE(longer.has_come());
    call.cancel();
    asked.end();
  }));
  loop.run();
  CHECK(shorter.error().code() == Errc::timed_out);
  CHECK(longer.error().code() == Errc::aborted);
}

TEST_CASE("within: the peer knows what is left", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<int> left;
  Came<> unlimited;
  asked.rpc.request("remaining").within(1h).then(left.callback());
  asked.rpc.request("remaining").then(unlimited.callback());
  asked.end();
  loop.run();
  CHECK(left.value() <= 3'600'000);
  CHECK(left.value() > 3'000'000);
  CHECK(unlimited.value() == nullptr);
}

// A file appears when the child has done what it was asked for before, and a second one when it has
// written the answers, because it writes those of one turn before the next.
TEST_CASE("within: answers that wait in the channel while this process stands still are in time",
          "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const Folder folder;
  constexpr int many = 500;
  int in_time = 0;
  const auto stand_still_until_made = [&](const std::string& path) {
    asked.rpc.request("touch", path).then([] {});
    asked.child.channel().flush();
    const auto late = std::chrono::steady_clock::now() + 30s;
    while (!std::filesystem::exists(path)) REQUIRE(std::chrono::steady_clock::now() < late);
  };
  asked.rpc.request("echo").then([&] {
    for (int i = 0; i < many; ++i) {
      asked.rpc.request("echo", i).within(50ms).then(
          [&](const tine::Result<int>& result) { in_time += static_cast<bool>(result); });
    }
    const auto over = std::chrono::steady_clock::now() + 60ms;
    stand_still_until_made(folder.at("1"));
    stand_still_until_made(folder.at("2"));
    while (std::chrono::steady_clock::now() < over) {
    }
    asked.end();
  });
  loop.run();
  CHECK(in_time == many);
}

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

// --- the loop

TEST_CASE("loop: its destruction destroys callbacks and handlers uncalled", "[rpc]") {
  const auto captured = std::make_shared<int>();
  std::stop_source source;
  TestLoop loop;
  {
    auto child = loop.fork("requests", {.kill_with_loop = true});
    const tine::Rpc rpc(child);
    rpc.on_request("a", [captured, rpc] {});
    rpc.on_notification("a", [captured, rpc] {});
    rpc.on_request([captured, rpc] {});
    rpc.request("keep")
        .within(1h)
        .stop(source.get_token())
        .on_progress([captured] {})
        .then([captured, rpc] { FAIL("called"); });
    rpc.ping().then([captured] { FAIL("called"); });
    const tine::Call cancelled = rpc.request("keep").then([captured] { FAIL("called"); });
    cancelled.cancel();
    const auto unsent = rpc.request("keep").on_progress([captured] {});
    CHECK(captured.use_count() == 9);
    const int pid = child.pid().value();
    loop.destroy();
    await_reaped(pid);
    CHECK(captured.use_count() == 2);  // the one that was not sent is still here
    CHECK_FALSE(cancelled.pending());
    rpc.request("keep").then([] { FAIL("called"); });
    rpc.on_request("a", [captured] {});
    CHECK(captured.use_count() == 2);
  }
  CHECK(captured.use_count() == 1);
  source.request_stop();
}

TEST_CASE("loop: a request that waits keeps it running, a ref'd channel or not", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  asked.child.unref();
  asked.child.channel().unref();
  Came<int> came;
  asked.rpc.request("echo", 1).then(came.callback());
  loop.run();
  CHECK(came.value() == 1);
  CHECK(asked.child.connected());
  asked.child.ref();
  asked.child.disconnect();
  loop.run();
}
