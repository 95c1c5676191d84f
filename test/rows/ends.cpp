// Faults of processes: ends that die, stop, or close. Where the test of each row is:
//
//   1 exits after its sends   process/child_process.cpp, "10 000 messages come before the end"
//   2 killed at a byte        promises/promises.cpp, promise 1
//   3, 4, 5, 6                here
//   7 both write first        process/child_process.cpp, "both ends may write 10 MB"
//   8 half-close              channel/endpoint.cpp, by each direction; raw_parent.cpp, of a child
//   9 closed with unread data here, and channel/endpoint.cpp
//   10                        here
//   11 odd pieces             promises/promises.cpp, promise 1; raw_parent.cpp; fuzz/channel.cpp
//   12, 17 bad lines          wire/json_reader.cpp, channel/endpoint.cpp, promises/promises.cpp
//   13, 14, 15, 16, 18        input.cpp; 15 on a small stack: wire/json_nesting.cpp
//   28, 29                    hosts.cpp
//   30                        here
//   31 grandchild holds on    process/child_process.cpp and promises/promises.cpp, promise 3
//   32 environment            process/process.cpp
//   33, 34                    hosts.cpp
//   38                        matrix.cpp
//   39 destroyed early        process/child_process.cpp, "~Loop leaves it running", "~Loop kills it",
//                             "it runs on when the last handle is dropped"
//   40                        here, and channel/endpoint.cpp
//   41, 42, 43                hosts.cpp
//   50 (start and end often)  here
#include <functional>
#include <string>
#include <vector>

#include <sys/prctl.h>

#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/raw_peer.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

// While it lives, orphans come to this process.
struct Subreaper {
  Subreaper() { REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); }
  ~Subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 0); }
};

const std::string megabyte(1'000'000, 'x');

}  // namespace

TEST_CASE("fault 3: a child that is killed while much is written ends it with the truth",
          "[faults]") {
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

TEST_CASE("fault 4: a child that is stopped holds its sender, and nothing is lost", "[faults]") {
  constexpr int rounds = 3;
  const auto stopped_for = std::chrono::milliseconds(scaled(50, 10'000 / rounds));
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

TEST_CASE("fault 5, 6: when a parent dies, its children get whole lines and one disconnect",
          "[faults]") {
  const std::string end = GENERATE(as<std::string>{}, "killed", "leaves");
  TestLoop loop;
  const Subreaper subreaper;
  Invariants invariants(loop);
  std::vector<int> heirs;
  auto parent = invariants.watch(loop.fork("family", {.args = {"4", "100"}}));
  parent.on<"message">([&](const std::vector<int>& pids) {
    heirs = pids;
    if (end == "killed") {
      parent.kill(SIGKILL);
    } else {
      parent.send("leave");
    }
  });
  loop.run();
  CHECK((parent.exit_status() ==
         (end == "killed" ? tine::ExitStatus{.signal = SIGKILL} : tine::ExitStatus{.code = 0})));
  REQUIRE(heirs.size() == 4);
  const auto start = std::chrono::steady_clock::now();
  for (const int heir : heirs) CHECK(await_exit(heir) == 0);
  if (!sanitized) CHECK(std::chrono::steady_clock::now() - start < 1s);
  invariants.check();
}

TEST_CASE("fault 9: a child that ends without reading has its messages told", "[faults]") {
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

TEST_CASE("fault 10: an end in the middle of a line drops that line, and is no error", "[faults]") {
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

TEST_CASE(
    "fault 30: a child that closes the channel by hand, or puts a file in its place, is "
    "disconnected, and lives on",
    "[faults]") {
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

TEST_CASE("fault 30: text that a child writes to the channel is an error, messages go on",
          "[faults]") {
  TestLoop loop;
  Invariants invariants(loop);
  int errors = 0;
  Log log;
  auto child =
      invariants.watch(loop.fork_script(R"(printf 'starting up\n"ready"\n\ndone: 5 %%\n5\n' >&3)"));
  child.on<"error">([&](const tine::Error& error) {
    CHECK(error.code() == tine::Errc::bad_message);
    ++errors;
  });
  child.on<"message">([&](const json& message) { log.push_back(message.dump()); });
  loop.run();
  CHECK(errors == 2);
  CHECK(log == Log{R"("ready")", "5"});
  invariants.check();
}

TEST_CASE("fault 40: disconnect writes what is queued, once, whenever it is called", "[faults]") {
  const std::string when =
      GENERATE(as<std::string>{}, "at once", "twice", "in a message", "in half a line");
  TestLoop loop;
  Invariants invariants(loop, 32 * mebibyte);
  Log log;
  auto child = invariants.watch(
      loop.fork_script(R"(printf '1\n2\n{"half":' >&3; exec wc -c <&3 >/dev/null)"));
  child.on<"message">([&](const json& message) {
    log.push_back(message.dump());
    if (message == 1 && when == "in a message") child.disconnect();
    if (message == 2 && when == "in half a line") child.disconnect();
  });
  child.on<"error">([&](const tine::Error& error) { log.push_back(error.code().message()); });
  for (int i = 0; i < 5; ++i) child.send(megabyte, invariants.sent());
  if (when == "at once" || when == "twice") child.disconnect();
  if (when == "twice") child.disconnect();
  CHECK(child.connected() == when.starts_with("in"));
  loop.run();
  CHECK(invariants.successes() == 5);
  Log expected{"1", "2"};
  if (when == "twice") {
    expected.insert(expected.begin(), make_error_code(tine::Errc::disconnected).message());
  }
  CHECK(log == expected);
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  invariants.check();
}

TEST_CASE("fault 50: programs that start and end, again and again, leave nothing behind",
          "[faults]") {
  constexpr int together = 20;
  constexpr int warm_up = 200;
  const int cycles = scaled(sanitized ? 300 : 1000, 10'000);
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
  run_cycles(warm_up);
  const auto descriptors = open_descriptors();
  const PeakMemory memory;
  run_cycles(cycles - warm_up);
  CHECK(ended == cycles);
  CHECK(open_descriptors() == descriptors);
  if (!sanitized) CHECK(memory.growth() <= mebibyte);
  invariants.check();
}
