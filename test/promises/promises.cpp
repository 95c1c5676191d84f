// The ten promises of docs/promises.md, each tested with real processes. The corner cases of a
// single end are tested in test/channel.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

// Logs the events of a child: messages and errors by their text, other events by their name.
void log_all(tine::ChildProcess& child, Log& log) {
  child.on<"message">([&log](const json& message) { log.push_back(message.dump()); });
  child.on<"error">([&log](const tine::Error& error) { log.push_back(error.code().message()); });
  child.on<"drain">([&log] { log.emplace_back("drain"); });
  child.on<"disconnect">([&log] { log.emplace_back("disconnect"); });
  child.on<"exit">([&log](tine::ExitStatus status) { log.push_back("exit " + to_string(status)); });
  child.on<"close">([&log] { log.emplace_back("close"); });
}

const Log orderly_end{"disconnect", "exit code 0", "close"};

Log operator+(Log log, const Log& more) {
  log.insert(log.end(), more.begin(), more.end());
  return log;
}

const std::string three_messages = R"({"a":"é😀"}\n[1,2]\n"x"\n)";
const Log three_logged{R"({"a":"é😀"})", "[1,2]", R"("x")"};

}  // namespace

TEST_CASE("promise 1: a message arrives whole, in order and once, in pieces of any size",
          "[promises]") {
  const std::string way = GENERATE(as<std::string>{}, "send", "bytewise");
  TestLoop loop;
  Log log;
  auto child = loop.fork("raw", {.args = {way, three_messages}});
  log_all(child, log);
  loop.run();
  CHECK(log == three_logged + orderly_end);
}

TEST_CASE("promise 1: a child that is killed at any byte leaves whole lines only", "[promises]") {
  const std::string bytes = "1\n{\"a\":2}\n\"xyz\"\n";
  TestLoop loop;
  std::vector<Log> logs(bytes.size() + 1);
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    auto child = loop.fork("raw", {.args = {"prefix", std::to_string(length), bytes, "kill"}});
    log_all(child, logs[length]);
  }
  loop.run();
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const auto lines = std::count(bytes.begin(), bytes.begin() + static_cast<long>(length), '\n');
    const Log all{"1", R"({"a":2})", R"("xyz")"};
    CHECK(logs[length] == Log(all.begin(), all.begin() + lines) +
                              Log{"disconnect", "exit signal 9 (Killed)", "close"});
  }
}

TEST_CASE("promise 2: accepted messages are written before the channel closes", "[promises]") {
  const std::string how = GENERATE(as<std::string>{}, "exit", "disconnect", "");
  TestLoop loop;
  int received = 0;
  auto child = loop.fork("flood", {.args = {"3000", how}});
  child.on<"message">([&](const json& message) { received += message["number"] == received; });
  loop.run();
  CHECK(received == 3000);
}

TEST_CASE("promise 2: a peer that reads nothing is given up, and queued messages are cancelled",
          "[promises]") {
  TestLoop loop;
  Log log;
  int cancelled = 0;
  auto child = loop.fork_script("exec tail -f /dev/null", {.channel = {.flush_timeout = 50ms}});
  log_all(child, log);
  const std::string text(10'000, 'x');
  for (int i = 0; i < 100; ++i) {
    child.send(text,
               [&](std::error_code error) { cancelled += error == std::errc::operation_canceled; });
  }
  child.disconnect();
  child.on<"disconnect">([&] { child.kill(SIGKILL); });
  loop.run();
  CHECK(cancelled > 50);
  CHECK(log == Log{"disconnect", "exit signal 9 (Killed)", "close"});
}

TEST_CASE("promise 2: exit() gives up on a parent that reads nothing", "[promises]") {
  TestLoop loop;
  auto child = loop.fork("flood", {.args = {"3000", "exit", "50"}});
  child.channel().pause();
  loop.run();
  CHECK(child.exit_status() == tine::ExitStatus{.code = 0});
}

TEST_CASE("promise 2: exit() gives up even if the parent goes on sending", "[promises]") {
  TestLoop loop;
  auto child = loop.fork("flood", {.args = {"3000", "exit", "50"}});
  child.channel().pause();
  bool exited = false;
  const std::function<void()> send = [&] {
    child.send("more", [](std::error_code) {});
    if (!exited) loop->after(5ms, send);
  };
  send();
  child.on<"exit">([&] { exited = true; });
  loop.run();
  CHECK(child.exit_status() == tine::ExitStatus{.code = 0});
}

TEST_CASE("promise 3: a child's messages are delivered first, then disconnect, exit and close",
          "[promises]") {
  const std::string end = GENERATE(as<std::string>{}, "exit 0", "close", "half-close");
  TestLoop loop;
  Log log;
  std::vector<std::string> args{"send", three_messages, end.substr(0, end.find(' '))};
  if (end == "exit 0") args.emplace_back("0");
  auto child = loop.fork("raw", {.args = args});
  log_all(child, log);
  loop.run();
  CHECK(log == three_logged + orderly_end);
}

TEST_CASE("promise 3: a grandchild that goes on writing does not delay the end", "[promises]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork_script(
      R"(while printf '"again"\n' >&3; do :; done 2>/dev/null & printf '"first"\n' >&3; exit 0)");
  child.on<"message">([&] {});
  child.on<"close">([&] { log.emplace_back("close"); });
  loop.run();
  CHECK(log == Log{"close"});
}

TEST_CASE("promise 4: messages wait for a listener", "[promises]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork("raw", {.args = {"send", three_messages, "await-end"}});
  child.on<"connected">([&] {
    loop->after(20ms, [&] {
      log.emplace_back("listen");
      child.on<"message">([&](const json& message) {
        log.push_back(message.dump());
        if (log.size() == 4) child.disconnect();
      });
    });
  });
  loop.run();
  CHECK(log == Log{"listen"} + three_logged);
}

TEST_CASE("promise 4: beyond the bound reading pauses, and the end is still noticed",
          "[promises]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork("raw", {.args = {"repeat", "200", "\"" + std::string(1000, 'x') + "\"\\n"},
                                 .channel = {.stored_limit = 10'000}});
  child.on<"disconnect">([&] { log.emplace_back("disconnect"); });
  child.on<"exit">([&] { log.emplace_back("exit"); });
  child.on<"close">([&] { log.emplace_back("close"); });
  loop.run();
  CHECK(log == Log{"disconnect", "exit", "close"});
  int received = 0;
  child.on<"message">([&] { ++received; });
  loop.run();
  CHECK(received == 200);
}

TEST_CASE("promise 5: send() returns false at the mark, drain follows, and nothing is lost",
          "[promises]") {
  constexpr int count = 5000;
  TestLoop loop;
  int next = 0;
  int drains = 0;
  auto child = loop.fork("count", {.args = {std::to_string(count)}});
  const std::function<void()> fill = [&] {
    while (next < count) {
      if (!child.send({{"number", next++}, {"text", std::string(1000, 'x')}})) {
        child.kill(SIGCONT);
        return;
      }
    }
    child.disconnect();
  };
  child.on<"drain">([&] {
    ++drains;
    fill();
  });
  // A running child might read as fast as this end writes.
  CHECK(child.kill(SIGSTOP));
  fill();
  loop.run();
  CHECK(drains > 0);
  CHECK(child.exit_status() == tine::ExitStatus{.code = 0});
}

TEST_CASE("promise 6: a bad line is an error, and the lines after it arrive", "[promises]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork("raw", {.args = {"send", R"(1\nbad\n2\n{"a":}\n\n[1\n3\n)"}});
  log_all(child, log);
  loop.run();
  const std::string bad = make_error_code(tine::Errc::bad_message).message();
  CHECK(log == Log{"1", bad, "2", bad, "3"} + orderly_end);
}

TEST_CASE("promise 7: invalid lines are never written, and all that Node may send is accepted",
          "[promises]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork(
      "raw", {.args = {"expect", R"({"ok":1}\n)", "send", R"("\ud800"\n123456789012345678901\n)"}});
  log_all(child, log);
  CHECK_FALSE(child.send("\xFF"));
  CHECK_FALSE(child.send(tine::Text{"{"}));
  child.send({{"ok", 1}});
  loop.run();
  const std::string refused = make_error_code(tine::Errc::invalid_value).message();
  CHECK(log == Log{refused, refused, R"("�")", "1.2345678901234568e+20"} + orderly_end);
}

TEST_CASE("promise 8: run() throws the exception of a listener, and nothing is lost",
          "[promises]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork("raw", {.args = {"send", R"(1\n2\n3\n)"}});
  log_all(child, log);
  child.on<"message">([&] { throw std::runtime_error("thrown"); });
  for (int i = 0; i < 3; ++i) CHECK_THROWS_WITH(loop.run(), "thrown");
  loop.run();
  CHECK(log == Log{"1", "2", "3"} + orderly_end);
}

TEST_CASE("promise 9: no zombie, no leaked descriptor, a clean environment", "[promises]") {
  TestLoop loop;  // checks for zombies and descriptors
  json report;
  for (int i = 0; i < 20; ++i) loop.fork("raw", {.args = {"kill"}});
  auto child = loop.fork("report");
  child.on<"message">([&](json message) { report = std::move(message); });
  loop.run();
  for (const char* const name : {"NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"}) {
    CHECK(report["env"][name].is_null());
  }
}

TEST_CASE("promise 10: a child keeps its parent's loop running, a listener keeps the child's",
          "[promises]") {
  TestLoop loop;
  Log log;
  auto listening = loop.fork("echo");
  auto not_listening = loop.fork("flood", {.args = {"0"}});
  not_listening.on<"exit">([&] {
    log.emplace_back("not listening");
    listening.disconnect();
  });
  listening.on<"exit">([&] { log.emplace_back("listening"); });
  loop.run();
  CHECK(log == Log{"not listening", "listening"});
}
