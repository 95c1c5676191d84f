// Processes that end: children and parents that exit, are killed, or close the channel.
#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/wait.h>

#include "support/catch.hpp"
#include "support/escaped.hpp"
#include "support/invariants.hpp"
#include "support/raw_peer.hpp"
#include "support/scale.hpp"
#include "support/subreaper.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

const std::string megabyte(1'000'000, 'x');

// Ends a parent that has four children and long queues. The children must receive everything that
// the parent has written, then one "disconnect", and end with exit code 0.
void lose_parent(const std::string& how) {
  TestLoop loop;
  const Subreaper subreaper;
  Invariants invariants(loop);
  std::vector<int> heirs;
  auto parent = invariants.watch(loop.fork("family", {.args = {"4", "100"}}));
  parent.on<"message">([&](const std::vector<int>& pids) {
    heirs = pids;
    if (how == "killed") {
      parent.kill(SIGKILL);
    } else {
      parent.send("leave");
    }
  });
  loop.run();
  CHECK((parent.exit_status() ==
         (how == "killed" ? tine::ExitStatus{.signal = SIGKILL} : tine::ExitStatus{.code = 0})));
  REQUIRE(heirs.size() == 4);
  const auto start = std::chrono::steady_clock::now();
  for (const int heir : heirs) CHECK(await_exit(heir) == 0);
  if (!sanitized) CHECK(std::chrono::steady_clock::now() - start < soon);
  invariants.check();
}

// Returns whether a child of this process is a zombie or gone.
bool has_ended(int pid) {
  siginfo_t child{};
  if (waitid(P_PID, static_cast<id_t>(pid), &child, WEXITED | WNOHANG | WNOWAIT) != 0) return true;
  return child.si_pid == pid;
}

}  // namespace

TEST_CASE("row 1: all 10 000 messages of a child that ends in the turn of its sends are delivered",
          "[rows]") {
  constexpr int count = 10'000;
  const std::string end = GENERATE(as<std::string>{}, "exit", "disconnect", "", "at-once");
  TestLoop loop;
  Invariants invariants(loop);
  int received = 0;
  auto child = invariants.watch(loop.fork("flood", {.args = {std::to_string(count), end}}));
  child.on<"message">([&](const json& message) {
    CHECK(message["number"] == received);
    ++received;
  });
  for (int i = 0; i < 100; ++i) child.send(i, invariants.sent());  // the child does not read these
  loop.run();
  if (end == "at-once") {
    // All messages may come if the child was so slow that this process read each one meanwhile.
    CHECK((received > 0 && received <= count));
  } else {
    CHECK(received == count);
  }
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  invariants.check();
}

TEST_CASE("row 2: a child that is killed at any byte has its complete lines delivered", "[rows]") {
  const std::string bytes = "{\"a\":[1,\"é😀\"]}\n\"\\u00e9 x\"\n[true,null]\n";
  const Log all{"{\"a\":[1,\"é😀\"]}", "\"é x\"", "[true,null]"};
  TestLoop loop;
  Invariants invariants(loop);
  std::vector<Log> logs(bytes.size() + 1);
  std::vector<tine::Channel> channels;
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    auto child = invariants.watch(
        loop.fork("raw", {.args = {"prefix", std::to_string(length), escaped(bytes), "kill"}}));
    Log& log = logs[length];
    child.on<"message">([&log](const json& message) { log.push_back(message.dump()); });
    child.on<"error">([&log](const tine::Error& error) { log.emplace_back(error.what()); });
    child.send("which it does not read", invariants.sent());
    channels.push_back(child.channel());
  }
  loop.run();
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const auto lines = std::count(bytes.begin(), bytes.begin() + static_cast<long>(length), '\n');
    CHECK(logs[length] == Log(all.begin(), all.begin() + lines));
    CHECK(channels[length].torn_bytes() == length - (bytes.substr(0, length).rfind('\n') + 1));
  }
  invariants.check();
}

TEST_CASE("row 3: if a child is killed during a long write, callbacks report what was written",
          "[rows]") {
  const int read_by_child = GENERATE(0, 1, 65'536, 1'000'000, 3'500'000);
  TestLoop loop;
  Invariants invariants(loop, 32 * mebibyte);
  std::vector<std::error_code> failures;
  auto child = invariants.watch(loop.fork_script("head -c " + std::to_string(read_by_child) +
                                                 " <&3 >/dev/null; kill -KILL $$"));
  for (int i = 0; i < 5; ++i) {
    child.send(megabyte, invariants.sent());
    child.send(i, [&](std::error_code error) {
      if (error) failures.push_back(error);
    });
  }
  loop.run();
  CHECK((child.exit_status() == tine::ExitStatus{.signal = SIGKILL}));
  CHECK(invariants.successes() <= read_by_child / 1'000'000 + 1);
  for (const auto& error : failures) {
    INFO(error.message());
    CHECK((error == std::errc::broken_pipe || error == std::errc::connection_reset ||
           error == tine::Errc::channel_closed));
  }
  CHECK_FALSE(failures.empty());
  invariants.check();
}

TEST_CASE("row 5: children of a killed parent get whole lines and one disconnect", "[rows]") {
  lose_parent("killed");
}

TEST_CASE("row 6: children of a parent that leaves get whole lines and one disconnect", "[rows]") {
  lose_parent("leaves");
}

TEST_CASE("row 8: a half-close by a child ends its channel, after its messages", "[rows]") {
  TestLoop loop;
  Invariants invariants(loop, 32 * mebibyte);
  Log log;
  auto child = invariants.watch(
      loop.fork("raw", {.args = {"send", R"(1\n2\n)", "half-close", "await-end", "exit", "4"}}));
  child.on<"message">([&](const json& message) { log.push_back(message.dump()); });
  child.on<"disconnect">([&] {
    log.emplace_back("disconnect");
    CHECK_FALSE(child.connected());
    CHECK_FALSE(child.send("late", invariants.sent()));
  });
  for (int i = 0; i < 5; ++i) child.send(megabyte, invariants.sent());
  loop.run();
  CHECK(log == Log{"1", "2", "disconnect"});
  CHECK(invariants.failures() > 0);
  CHECK((child.exit_status() == tine::ExitStatus{.code = 4}));
  invariants.check();
}

TEST_CASE("row 8: a write to a child that has shut down reading fails, after the child's messages",
          "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork(
      "raw", {.args = {"refuse-reading", "send", R"(1\n2\n)", "await-hang-up", "exit", "4"}}));
  child.on<"message">([&](const json& message) {
    log.push_back(message.dump());
    child.send("back", [&, sent = invariants.sent()](std::error_code error) {
      CHECK((error == std::errc::broken_pipe || error == tine::Errc::channel_closed));
      sent(error);
    });
  });
  child.on<"disconnect">([&] { log.emplace_back("disconnect"); });
  loop.run();
  CHECK(log == Log{"1", "2", "disconnect"});
  CHECK(invariants.failures() == 2);
  CHECK((child.exit_status() == tine::ExitStatus{.code = 4}));
  invariants.check();
}

TEST_CASE("row 9: messages of a child that ends without reading are delivered", "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork("raw", {.args = {"expect", "1\\n", "send", "1\\n2\\n"}}));
  child.on<"message">([&](const json& message) { log.push_back(message.dump()); });
  child.send(1, invariants.sent());
  child.send(std::string(10'000, 'x'), invariants.sent());
  loop.run();
  CHECK(log == Log{"1", "2"});
  CHECK(invariants.successes() == 2);
  invariants.check();
}

TEST_CASE("row 10: an incomplete line at the end is dropped, and is no error", "[rows]") {
  const std::string torn =
      GENERATE(as<std::string>{}, "tru", R"({"a":)", R"("\xc3)", R"("\xf0\x9f)", R"("\\)",
               R"("\\u00)", R"("\\ud83d)", " ", "\\0", "-");
  const std::string end = GENERATE(as<std::string>{}, "close", "half-close", "kill");
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork("raw", {.args = {"send", R"("good"\n)" + torn, end}}));
  child.on<"message">([&](const json& message) { log.push_back(message.dump()); });
  child.on<"error">([&](const tine::Error& error) { log.emplace_back(error.what()); });
  loop.run();
  CHECK(log == Log{R"("good")"});
  if (torn == "-") invariants.check();
}

TEST_CASE("row 30: a child that closes the channel, or puts a file in its place, lives on",
          "[rows]") {
  const std::string how =
      GENERATE(as<std::string>{}, "exec 3>&-", "exec 3>/dev/null; echo log >&3");
  TestLoop loop;
  Invariants invariants(loop);
  auto child =
      invariants.watch(loop.fork_script("printf '1\\n' >&3; " + how + "; exec tail -f /dev/null"));
  bool alive = false;
  int received = 0;
  child.on<"message">([&] { ++received; });
  child.on<"disconnect">([&] { alive = child.kill(SIGTERM); });
  loop.run();
  CHECK(received == 1);
  CHECK(alive);
  CHECK((child.exit_status() == tine::ExitStatus{.signal = SIGTERM}));
  invariants.check();
}

TEST_CASE("row 31: a grandchild that keeps the channel open does not delay the child's end",
          "[rows]") {
  TestLoop loop;
  const Subreaper subreaper;
  Invariants invariants(loop);
  constexpr int count = 5000;
  int grandchild = 0;
  int received = 0;
  auto child = invariants.watch(
      loop.fork_script("tail -f /dev/null & echo $! >&3; yes 2>/dev/null | tr y 1 | head -n " +
                       std::to_string(count) + " >&3; exit 5"));
  child.on<"message">([&](int number) {
    if (grandchild == 0) {
      grandchild = number;
    } else {
      ++received;
    }
  });
  // Counts turns of the loop instead of time, because on a busy machine the child or this process
  // may have to wait long.
  int turns_after_end = 0;
  tine::Timer turn;
  const std::function<void()> count_turns = [&, pid = child.pid().value()] {
    turns_after_end += has_ended(pid);
    turn = loop->after(1ms, count_turns);
    turn.unref();
  };
  count_turns();
  loop.run();
  turn.cancel();
  CHECK(turns_after_end < 100);
  CHECK(received == count);
  CHECK((child.exit_status() == tine::ExitStatus{.code = 5}));
  CHECK(kill(grandchild, SIGKILL) == 0);
  CHECK(await_exit(grandchild) == -SIGKILL);
  invariants.check();
}

TEST_CASE("row 50: programs that start and end again and again leave nothing behind", "[rows]") {
  constexpr int together = 20;
  constexpr int at_a_time = 200;
  const int cycles = scaled(sanitized ? 400 : 1000, 10'000);
  TestLoop loop;
  Invariants invariants(loop);
  int ended = 0;
  const auto run_cycles = [&](int count) {
    int left = count;
    const std::function<void()> start = [&] {
      if (left-- <= 0) return;
      auto child = tine::fork(loop, "unused", {.exec_path = "true"});
      child.on<"exit">([&](tine::ExitStatus status) { ended += status.success(); });
      child.on<"close">(start);
    };
    for (int i = 0; i < together; ++i) start();
    loop.run();
  };
  run_cycles(at_a_time);  // warms up
  const auto descriptors = open_descriptors();
  const PeakMemory memory;
  for (int i = at_a_time; i < cycles; i += at_a_time) run_cycles(at_a_time);
  CHECK(ended == cycles);
  CHECK(open_descriptors() == descriptors);
  if (!sanitized) CHECK(memory.growth() <= mebibyte);
  invariants.check();
}
