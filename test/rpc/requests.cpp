// Requests to a child, and requests of the child: test/programs/requests.
#include <algorithm>
#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "rpc/rpc_test.hpp"
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

TEST_CASE("request: object() and args() are params, results and progress", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<int> number;
  Came<> built;
  Came<> in_steps;
  Came<int> logged;
  std::vector<json> progress;
  asked.rpc.request("add", tine::object("a", 1, "b", 2)).then(number.callback());
  asked.rpc.request("built", tine::args(3, 4)).then(built.callback());
  asked.rpc.request("built in steps")
      .on_progress([&](const json& value) { progress.push_back(value); })
      .then(in_steps.callback());
  CHECK(asked.rpc.notify("log", tine::args(5)));
  asked.rpc.request("logged").then(logged.callback());
  asked.end();
  loop.run();
  CHECK(number.value() == 3);
  CHECK(built.value() == json{{"a", 3}, {"rest", {4}}});
  CHECK(in_steps.value() == json{{"a", 1}});
  CHECK(progress == std::vector<json>{{1}});
  CHECK(logged.value() == 5);
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

TEST_CASE("requests: both ends ask each other at once, and each answer settles its request once",
          "[rpc]") {
  TestLoop loop;
  const int many = scaled(10'000, 100'000);
  auto options = patient();
  options.pending_limit = static_cast<std::size_t>(many) + 1;
  Asked asked(loop, {}, options);
  Came<int> right;
  int came = 0;
  std::vector<bool> settled(static_cast<std::size_t>(many));
  const auto look = [&] {
    if (came == many && right.has_come()) asked.child.disconnect();
  };
  asked.rpc.request("ask each", many).then(right.callback(look));
  for (int i = 0; i < many; ++i) {
    asked.rpc.request("echo", i).then([&, i](const tine::Result<int>& result) {
      if (result.value() != i) FAIL("the answer is another request's");
      if (settled[static_cast<std::size_t>(i)]) FAIL("a request is settled twice");
      settled[static_cast<std::size_t>(i)] = true;
      ++came;
      look();
    });
  }
  loop.run();
  CHECK(came == many);
  CHECK(right.value() == many);
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
