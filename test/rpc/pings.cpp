// Pings of a C++ child.
#include <chrono>
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include "rpc/rpc_test.hpp"

using namespace std::chrono_literals;
using std::chrono::microseconds;

TEST_CASE("ping: a child answers without a line of code", "[rpc]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  const tine::Rpc rpc(child);
  Came<microseconds> first;
  Came<microseconds> second;
  ExpectCalls third(1);
  child.on<"error">([](const tine::Error& error) { FAIL(error.what()); });
  rpc.ping().then(first.callback());
  rpc.ping().within(30s).then(second.callback([&] {
    rpc.ping().then([&](const tine::Result<microseconds>& took) {
      CHECK(took.value() < 30s);
      third();
      child.disconnect();
    });
  }));
  CHECK(rpc.pending() == 2);
  loop.run();
  CHECK(first.value() >= 0us);
  CHECK(second.value() >= 0us);
}

TEST_CASE("ping: a child that is stopped does not answer, and does once it goes on", "[rpc]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  const tine::Rpc rpc(child);
  Came<microseconds> late;
  Came<microseconds> cancelled;
  Came<microseconds> again;
  rpc.ping().then([&] {
    child.kill(SIGSTOP);
    REQUIRE(waitid(P_PID, static_cast<id_t>(*child.pid()), nullptr, WSTOPPED | WNOWAIT) == 0);
    rpc.ping().then(cancelled.callback()).cancel();
    rpc.ping().within(50ms).then(late.callback([&] {
      rpc.ping().then(again.callback([&] { child.disconnect(); }));
      child.kill(SIGCONT);
    }));
  });
  loop.run();
  CHECK(late.error().code() == Errc::timed_out);
  CHECK(cancelled.error().code() == Errc::aborted);
  CHECK(again.result());
}

TEST_CASE("ping: a child pings its parent", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  Came<int> took;
  asked.rpc.request("ping").then(took.callback(asked.disconnect()));
  loop.run();
  CHECK(took.value() >= 0);
}

TEST_CASE("ping: handles go their way between pings", "[rpc]") {
  TestLoop loop;
  Asked asked(loop);
  int pongs = 0;
  int answers = 0;
  constexpr int many = 200;
  const auto look = [&] {
    if (pongs == 2 * many && answers == many) asked.child.disconnect();
  };
  const auto pong = [&](const tine::Result<microseconds>& result) {
    pongs += static_cast<bool>(result);
    look();
  };
  for (int i = 0; i < many; ++i) {
    asked.rpc.ping().then(pong);
    asked.rpc.request("beside", i)
        .with(tine::Descriptors({::dup(0)}))
        .then([&, i](const tine::Result<int>& result) {
          CHECK(result.value() == i);
          CHECK(result.handle().descriptors().size() == 1);
          ++answers;
          look();
        });
    asked.rpc.ping().then(pong);
  }
  loop.run();
  CHECK(pongs == 2 * many);
  CHECK(answers == many);
}
