// Requests that are cancelled, stopped, or late.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "rpc/rpc_test.hpp"
#include "support/folder.hpp"

using namespace std::chrono_literals;

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
