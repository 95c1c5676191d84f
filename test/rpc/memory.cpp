// The memory of requests: of those that wait, and that nothing of them stays.
#include <chrono>
#include <cstddef>
#include <functional>

#include "rpc/rpc_test.hpp"
#include "support/scale.hpp"
#include "wire/heap.hpp"

using namespace std::chrono_literals;

namespace {

// Makes requests that are not answered for now, and waits until the child has them.
void wait_for(TestLoop& loop, Asked& asked, int count, bool with_deadline, int& settled) {
  for (int i = 0; i < count; ++i) {
    auto request = asked.rpc.request("keep", i);
    if (with_deadline) request = std::move(request).within(1h);
    std::move(request).then([&settled](const tine::Result<>&) { ++settled; });
  }
  asked.rpc.request("echo").then([&] { loop->stop(); });
  loop.run();
}

}  // namespace

TEST_CASE("requests: one that waits takes at most 400 bytes", "[rpc]") {
  const bool with_deadline = GENERATE(false, true);
  constexpr int many = 10'000;
  TestLoop loop;
  Asked asked(loop);
  int settled = 0;
  wait_for(loop, asked, 2 * many, with_deadline, settled);  // the buffers of the channel grow
  const std::size_t before = heap::live_bytes();
  wait_for(loop, asked, many, with_deadline, settled);
  const std::size_t each = (heap::live_bytes() - before) / many;
  CHECK(each <= 400);
  CHECK(each >= 50);  // otherwise they do not wait
  asked.rpc.request("release").then(asked.disconnect());
  loop.run();
  CHECK(settled == 3 * many);
}

TEST_CASE("requests: nothing of them stays", "[rpc]") {
  const int many = scaled(40'000, 10'000'000);
  constexpr int on_their_way = 100;
  TestLoop loop;
  Asked asked(loop);
  int sent = 0;
  int settled = 0;
  std::size_t before = 0;
  const json params{{"a", 1}, {"b", 2}};
  const std::function<void()> next = [&] {
    const int i = ++sent;
    const auto done = [&](const tine::Result<>&) {
      ++settled;
      if (settled == many / 4) before = heap::live_bytes();
      if (sent < many) next();
      if (settled == many) loop->stop();
    };
    // Some are cancelled, some are refused, and some have progress.
    if (i % 10 == 0) return asked.rpc.request("wait").then(done).cancel();
    if (i % 10 == 1) return static_cast<void>(asked.rpc.request("no such method").then(done));
    if (i % 10 == 2) {
      return static_cast<void>(
          asked.rpc.request("work", 1).on_progress("token", [](const json&) {}).then(done));
    }
    asked.rpc.request("add", params).within(1h).then(done);
  };
  asked.rpc.request("echo").then([&] {
    for (int i = 0; i < on_their_way; ++i) next();
  });
  loop.run();
  CHECK(settled == many);
  CHECK(heap::live_bytes() < before + 100'000);
  asked.end();
  loop.run();
  CHECK(asked.rpc.pending() == 0);
}
