// Requests that a task awaits, and tasks that answer requests.
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include <tine/once.hpp>
#include <tine/receive.hpp>
#include <tine/scope.hpp>
#include <tine/task.hpp>

#include "rpc/rpc_test.hpp"

using namespace std::chrono_literals;
using tine::Task;

namespace {

// Runs a task that makes requests, then lets the child end.
template <class F>
auto run(TestLoop& loop, Asked& asked, F task) {
  const auto ended = [&]() -> Task<> {
    co_await task();
    asked.child.disconnect();
    co_await tine::once<"close">(asked.child);
  };
  tine::run(loop, ended());
}

// Returns the error of a request, which must fail.
template <class T>
Task<tine::RpcError> error_of(tine::Request<T> request) {
  std::optional<tine::RpcError> error;
  try {
    co_await std::move(request);
  } catch (const tine::RpcError& thrown) {
    error = thrown;
  }
  REQUIRE(error);
  co_return *error;
}

// Compares what an awaitable returns. CHECK() is a loop, and g++ 12 miscompiles a co_await in the
// condition of one.
template <class Awaitable, class T>
Task<> expect(Awaitable awaitable, T expected) {
  const auto value = co_await std::move(awaitable);
  CHECK(value == expected);
}

// What is left of an hour that has just begun.
Task<> expect_an_hour(Task<json> remaining) {
  const json left = co_await std::move(remaining);
  CHECK(left <= 3'600'000);
  CHECK(left > 1'800'000);
}

}  // namespace

// --- requests that are awaited

TEST_CASE("awaited request: it returns the value, or throws the error", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const tine::Rpc& rpc = asked.rpc;
  const json numbers{1, 2};
  run(loop, asked, [&]() -> Task<> {
    co_await expect(rpc.request<int>("add", tine::object("a", 1, "b", 2)), 3);
    co_await expect(rpc.request("echo", tine::args(1, 2)), numbers);
    co_await expect(rpc.request<std::string>("join", tine::args("a", "b")).within(30s),
                    std::string("ab"));
    const auto time = co_await rpc.ping();
    CHECK(time > 0us);
    const auto missing = co_await error_of(rpc.request("no such method"));
    CHECK(missing.code() == Errc::method_not_found);
    auto fail = rpc.request("fail", tine::object("code", 7, "message", "own", "data", 1));
    const auto failed = co_await error_of(std::move(fail));
    CHECK(failed.remote_code() == 7);
    const auto other = co_await error_of(rpc.request<std::string>("echo", 1));
    CHECK(other.code() == Errc::message_type);
    CHECK(rpc.pending() == 0);
  });
}

TEST_CASE("awaited request: several at once", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const tine::Rpc& rpc = asked.rpc;
  run(loop, asked, [&]() -> Task<> {
    const auto [sum, text] =
        co_await tine::all(rpc.request<int>("add", tine::object("a", 1, "b", 2)),
                           rpc.request<std::string>("join", tine::args("a", "b")));
    CHECK(sum == 3);
    CHECK(text == "ab");
    const auto first = co_await tine::any(rpc.request<int>("wait"), rpc.request<int>("echo", 5));
    CHECK(std::get<1>(first) == 5);
    co_await expect(rpc.request<int>("stops"), 1);
  });
}

TEST_CASE("awaited request: progress comes while the task waits", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  std::vector<json> progress;
  run(loop, asked, [&]() -> Task<> {
    const auto note = [&](const json& value) { progress.push_back(value); };
    co_await expect(asked.rpc.request<int>("work", 3).on_progress(note), 3);
  });
  CHECK(progress == std::vector<json>{1, 2, 3});
}

TEST_CASE("awaited request: the channel ends first", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const auto die = [&]() -> Task<> {
    asked.child.kill(SIGKILL);
    const auto error = co_await error_of(asked.rpc.request("wait"));
    CHECK(error.code() == Errc::channel_closed);
    REQUIRE(error.exit_status());
    CHECK(error.exit_status()->signal == SIGKILL);
    const auto late = co_await error_of(asked.rpc.request("echo"));
    CHECK(late.code() == Errc::channel_closed);
  };
  tine::run(loop, die());
  loop.run();
}

TEST_CASE("awaited request: the deadline of the task travels, if it is the earlier one", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const tine::Rpc& rpc = asked.rpc;
  run(loop, asked, [&]() -> Task<> {
    const auto remaining = [&]() -> Task<json> { co_return co_await rpc.request("remaining"); };
    co_await expect(remaining(), json());
    co_await expect_an_hour(remaining().within(1h));
    const auto outer = [&]() -> Task<json> { co_return co_await remaining().within(2h); };
    co_await expect_an_hour(outer().within(1h));
    const auto own = [&]() -> Task<json> {
      co_return co_await rpc.request("remaining").within(1h);
    };
    co_await expect_an_hour(own().within(2h));
    const auto scoped = [&]() -> Task<json> {
      const auto [first] = co_await tine::all(rpc.request("remaining"));
      co_return first;
    };
    co_await expect_an_hour(scoped().within(1h));
  });
}

TEST_CASE("awaited request: the end of the task's time cancels it at the peer", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const tine::Rpc& rpc = asked.rpc;
  run(loop, asked, [&]() -> Task<> {
    const auto late = [&]() -> Task<tine::RpcError> {
      co_return co_await error_of(rpc.request("wait"));
    };
    const auto error = co_await late().within(20ms);
    CHECK(error.code() == Errc::timed_out);
    CHECK(rpc.pending() == 0);
    co_await expect(rpc.request<int>("stops"), 1);
  });
}

TEST_CASE("awaited request: a stop of the task cancels it at the peer", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const tine::Rpc& rpc = asked.rpc;
  std::stop_source stop;
  Errc code{};
  const auto wait = [&]() -> Task<> {
    const auto error = co_await error_of(rpc.request("wait"));
    code = static_cast<Errc>(error.code().value());
  };
  tine::start(loop, wait(), stop.get_token());
  run(loop, asked, [&]() -> Task<> {
    co_await rpc.request("echo");
    CHECK(rpc.pending() == 1);
    stop.request_stop();
    co_await rpc.request("echo");
    CHECK(rpc.pending() == 0);
    co_await expect(rpc.request<int>("stops"), 1);
  });
  CHECK(code == Errc::aborted);
  CHECK(rpc.late_answers() == 1);
}

TEST_CASE("awaited request: the destruction of the task cancels it at the peer", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const tine::Rpc& rpc = asked.rpc;
  const auto wait = [&]() -> Task<> { co_await rpc.request("wait"); };
  run(loop, asked, [&]() -> Task<> {
    {
      auto scope = co_await tine::Scope::open();
      scope.start(wait());
      co_await rpc.request("echo");
      CHECK(rpc.pending() == 1);
    }
    CHECK(rpc.pending() == 0);
    co_await expect(rpc.request<int>("stops"), 1);
  });
}

TEST_CASE("awaited request: one of an empty Rpc fails", "[rpc]") {
  TestLoop loop;
  const auto ask = []() -> Task<> {
    const auto error = co_await error_of(tine::Rpc().request("add"));
    CHECK(error.code() == Errc::channel_closed);
  };
  tine::run(loop, ask());
}

// --- tasks that answer

TEST_CASE("handler: a task answers when it ends", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const tine::Rpc& rpc = asked.rpc;
  run(loop, asked, [&]() -> Task<> {
    const auto [slow, fast] =
        co_await tine::all(rpc.request<int>("sleep", 5), rpc.request<int>("sleep", 1));
    CHECK(slow == 5);
    CHECK(fast == 1);
    const auto error =
        co_await error_of(rpc.request("sleep and throw", "a text that is not short"));
    CHECK(error.remote_code() == 7);
    CHECK(error.what() == std::string("a text that is not short"));
    const auto wrong = co_await error_of(rpc.request("sleep", "no number"));
    CHECK(wrong.code() == Errc::invalid_params);
  });
}

TEST_CASE("handler: a task is stopped by the deadline of its request, and when it is cancelled",
          "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const tine::Rpc& rpc = asked.rpc;
  run(loop, asked, [&]() -> Task<> {
    // The child ends when its loop has nothing left, so an hour of sleep would keep it.
    const auto late = co_await error_of(rpc.request("sleep", 3'600'000).within(20ms));
    CHECK(late.code() == Errc::timed_out);
    std::stop_source stop;
    auto sleeping = rpc.request("sleep", 3'600'000).stop(stop.get_token());
    const auto cancel = [&]() -> Task<int> {
      co_await rpc.request("echo");
      stop.request_stop();
      co_return 0;
    };
    const auto [error, zero] = co_await tine::all(error_of(std::move(sleeping)), cancel());
    CHECK(error.code() == Errc::aborted);
    CHECK(zero == 0);
  });
  CHECK(asked.child.exit_code() == 0);
}

TEST_CASE("handler: a task keeps its handler", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  const auto answer = [rpc = asked.rpc, kept = std::make_shared<json>("kept")]() -> Task<json> {
    rpc.off("ask me");
    co_await tine::sleep(1ms);
    co_return *kept;
  };
  asked.rpc.on_request("ask me", answer);
  asked.rpc.notify("request", "ask me");
  const json expected{{"result", "kept"}};
  run(loop, asked, [&]() -> Task<> { co_await expect(tine::receive(asked.child), expected); });
}
