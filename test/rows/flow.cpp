// The flow of messages: ends that are slow, stopped, busy or full; and sends from threads.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "rows/exchange.hpp"
#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

const std::string megabyte(1'000'000, 'x');

}  // namespace

TEST_CASE("row 4: a stopped child holds back its sender, and nothing is lost", "[rows]") {
  constexpr int rounds = 3;
  const auto stopped_for = std::chrono::milliseconds(scaled(1000 / rounds, 10'000 / rounds));
  const int count = scaled(20'000, 200'000);
  TestLoop loop;
  Invariants invariants(loop);
  auto child = invariants.watch(loop.fork("count", {.args = {std::to_string(count)}}));
  int next = 0;
  int held = 0;
  std::size_t most_queued = 0;
  int stops = 0;
  const std::function<void()> fill = [&] {
    while (next < count) {
      if (next == stops * count / rounds) {
        ++stops;
        child.kill(SIGSTOP);
        loop->after(stopped_for, [&] { child.kill(SIGCONT); });
      }
      const bool more =
          child.send({{"number", next++}, {"text", std::string(100, 'x')}}, invariants.sent());
      most_queued = std::max(most_queued, child.channel().queued_bytes());
      if (more) continue;
      ++held;
      return;
    }
    child.disconnect();
  };
  child.on<"drain">(fill);
  child.on<"connected">(fill);
  loop.run();
  CHECK(stops == rounds);
  CHECK(held >= rounds);
  CHECK(most_queued < 2 * tine::ChannelOptions{}.send_mark);
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  CHECK(invariants.successes() == count);
  invariants.check();
}

TEST_CASE("row 7: both ends may write 10 MB before they read", "[rows]") {
  constexpr int count = 10'000;
  TestLoop loop;
  Invariants invariants(loop, 64 * mebibyte);
  int in_order = 0;
  auto child = invariants.watch(loop.fork("exchange", {.args = {std::to_string(count)}}));
  const std::string text(1000, 'x');
  for (int i = 0; i < count; ++i) child.send({{"number", i}, {"text", text}}, invariants.sent());
  child.on<"message">([&](const json& message) {
    in_order += message["number"] == in_order;
    if (in_order == count) child.disconnect();
  });
  loop.run();
  CHECK(in_order == count);
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  CHECK(invariants.successes() == count);
  invariants.check();
}

TEST_CASE("row 7: a child that blocks until its 10 MB are written is read meanwhile", "[rows]") {
  constexpr int count = 10'000;
  TestLoop loop;
  Invariants invariants(loop, 64 * mebibyte);
  int received = 0;
  const std::string text(1000, 'x');
  auto child = invariants.watch(loop.fork(
      "raw", {.args = {"repeat", std::to_string(count), "\"" + text + "\"\\n", "await-end"}}));
  for (int i = 0; i < count; ++i) child.send(text, invariants.sent());
  child.on<"message">([&] { received += 1; });
  child.disconnect();
  loop.run();
  CHECK(received == count);
  CHECK(invariants.successes() == count);
  invariants.check();
}

TEST_CASE("row 29: a program that never reads costs no more memory than the limit", "[rows]") {
  constexpr std::size_t limit = 4 * mebibyte;
  TestLoop loop;
  Invariants invariants(loop, 2 * limit + 16 * mebibyte);
  auto child = invariants.watch(loop.fork_script(
      "exec tail -f /dev/null", {.channel = {.send_limit = limit, .flush_timeout = 50ms}}));
  const std::string text(100'000, 'x');
  int refused = 0;
  for (int i = 0; i < 1000; ++i) {
    child.send(text, invariants.sent());
    if (child.channel().queued_bytes() + text.size() > limit) ++refused;
  }
  CHECK(child.channel().queued_bytes() <= limit);
  CHECK(refused > 900);
  child.disconnect();
  child.on<"disconnect">([&] { child.kill(SIGKILL); });
  loop.run();
  CHECK(invariants.successes() < 10);
  invariants.check();
}

TEST_CASE("row 40: disconnect() writes the queue, once, whenever it is called", "[rows]") {
  const std::string when =
      GENERATE(as<std::string>{}, "at once", "twice", "in a message", "in half a line");
  TestLoop loop;
  constexpr int count = 20;  // more than any socket buffer can hold
  Invariants invariants(loop, 64 * mebibyte);
  Log log;
  auto child = invariants.watch(
      loop.fork_script(R"(printf '1\n2\n{"half":' >&3; exec wc -c <&3 >/dev/null)"));
  child.on<"message">([&](const json& message) {
    log.push_back(message.dump());
    if (message == 1 && when == "in a message") child.disconnect();
    if (message == 2 && when == "in half a line") child.disconnect();
  });
  child.on<"error">([&](const tine::Error& error) { log.push_back(error.code().message()); });
  child.kill(SIGSTOP);  // so that it reads only after everything is queued
  for (int i = 0; i < count; ++i) child.send(megabyte, invariants.sent());
  if (when == "at once" || when == "twice") child.disconnect();
  if (when == "twice") child.disconnect();
  CHECK(child.connected() == when.starts_with("in"));
  loop->after(0ms, [&] { child.kill(SIGCONT); });
  loop.run();
  CHECK(invariants.successes() == count);
  CHECK(log == Log{"1", "2"});
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  invariants.check();
}

TEST_CASE("row 41: messages that two threads post are sent, in order for each thread", "[rows]") {
  constexpr int threads = 2;
  const int count = scaled(1000, 100'000);
  TestLoop loop;
  Invariants invariants(loop);
  std::array<int, threads> in_order{};
  auto child = invariants.watch(loop.fork("echo"));
  child.on<"message">([&](const std::array<int, 2>& message) {
    int& next = in_order.at(static_cast<std::size_t>(message[0]));
    next += message[1] == next;
    if (in_order[0] + in_order[1] == threads * count) child.disconnect();
  });
  std::vector<std::thread> senders;
  for (int thread = 0; thread < threads; ++thread) {
    senders.emplace_back([&, thread] {
      for (int i = 0; i < count; ++i) {
        loop->post([&, thread, i] { child.send({thread, i}); });
      }
    });
  }
  loop.run();
  for (auto& sender : senders) sender.join();
  CHECK(in_order == std::array<int, threads>{count, count});
  invariants.check();
}

TEST_CASE("row 43: among sixteen busy programs, messages come late but in order", "[rows]") {
  const int count = scaled(300, 3000);
  constexpr int busy = 16;
  TestLoop loop;
  Invariants invariants(loop);
  std::vector<tine::ChildProcess> neighbours;
  for (int i = 0; i < busy; ++i) {
    neighbours.push_back(invariants.watch(
        loop.fork_script("exec 3>&-; renice -n 19 $$ >/dev/null; while :; do :; done")));
  }
  std::vector<std::unique_ptr<Exchange>> exchanges;
  std::size_t ended = 0;
  for (int i = 0; i < 4; ++i) {
    exchanges.push_back(std::make_unique<Exchange>(
        // The echo has the priority of its neighbours, so it is no faster than they are.
        invariants.watch(loop.fork_script("exec nice -n 19 " + test_program("echo").string())),
        count));
    exchanges.back()->child.on<"close">([&] {
      if (++ended < exchanges.size()) return;
      for (auto& neighbour : neighbours) neighbour.kill(SIGKILL);
    });
  }
  loop.run();
  for (const auto& exchange : exchanges) CHECK(exchange->in_order == count);
  invariants.check();
}
