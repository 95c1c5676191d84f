#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

// Records the events of a child, except its messages.
void log_events(tine::ChildProcess& child, Log& log) {
  child.on<"spawn">([&log] { log.emplace_back("spawn"); });
  child.on<"connected">([&log] { log.emplace_back("connected"); });
  child.on<"error">(
      [&log](const tine::Error& error) { log.push_back(std::string("error ") + error.what()); });
  child.on<"disconnect">([&log] { log.emplace_back("disconnect"); });
  child.on<"exit">(
      [&log](const tine::ExitStatus& status) { log.push_back("exit " + to_string(status)); });
  child.on<"close">(
      [&log](const tine::ExitStatus& status) { log.push_back("close " + to_string(status)); });
}

}  // namespace

TEST_CASE("child process: events come in order", "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork("flood", {.args = {"2"}});
  log_events(child, log);
  child.on<"message">(
      [&](const json& message) { log.push_back("message " + message["number"].dump()); });
  CHECK(child.connected());
  CHECK(child.pid());
  CHECK(log.empty());
  loop.run();
  CHECK(log == Log{"spawn", "connected", "message 0", "message 1", "disconnect", "exit code 0",
                   "close code 0"});
  CHECK_FALSE(child.connected());
  CHECK(child.exit_status() == tine::ExitStatus{.code = 0});
}

TEST_CASE("child process: 10 000 messages come before the end, in whichever way it ends",
          "[process]") {
  const std::string end = GENERATE(as<std::string>{}, "exit", "disconnect", "");
  constexpr int count = 10'000;
  TestLoop loop;
  int received = 0;
  Log log;
  auto child = loop.fork("flood", {.args = {std::to_string(count), end}});
  child.on<"message">([&](const json& message) {
    if (message["number"] == received) ++received;
    CHECK(log.empty());
  });
  child.on<"disconnect">([&] { log.push_back("disconnect " + std::to_string(received)); });
  child.on<"exit">([&](tine::ExitStatus status) { log.push_back(to_string(status)); });
  loop.run();
  CHECK(log == Log{"disconnect 10000", "code 0"});
}

TEST_CASE("child process: 10 000 queued messages arrive before disconnect()", "[process]") {
  TestLoop loop;
  ExpectCalls sent(10'000);
  auto child = loop.fork("count", {.args = {"10000"}});
  const std::string text(1000, 'x');
  for (int i = 0; i < 10'000; ++i) {
    child.send({{"number", i}, {"text", text}}, [&](std::error_code error) {
      CHECK(error == std::error_code());
      sent();
    });
  }
  child.disconnect();
  loop.run();
  CHECK(child.exit_status() == tine::ExitStatus{.code = 0});
}

TEST_CASE("child process: messages of all kinds and sizes come back unchanged", "[process]") {
  json many = json::array();
  for (int i = 0; i < 100'000; ++i) many.push_back(i);
  const std::vector<json> messages{"Hello",
                                   1,
                                   -1,
                                   1.5,
                                   true,
                                   nullptr,
                                   json::array(),
                                   json::object(),
                                   "\u00e9\u2028\U0001F600\n\"",
                                   {{"a", {{"b", {1, 2, 3}}}}},
                                   std::string(1 << 20, 'x'),
                                   many};
  TestLoop loop;
  auto child = loop.fork("echo");
  std::size_t received = 0;
  child.on<"message">([&](const json& message) {
    CHECK((message == messages.at(received)));
    if (++received == messages.size()) child.disconnect();
  });
  for (const json& message : messages) child.send(message);
  loop.run();
  CHECK(received == messages.size());
}

TEST_CASE("child process: both ends may write 10 MB before they read", "[process]") {
  TestLoop loop;
  const std::string text(1000, 'x');
  int received = 0;
  auto child = loop.fork("echo");
  for (int i = 0; i < 10'000; ++i) child.send({{"number", i}, {"text", text}});
  child.on<"message">([&](const json& message) {
    CHECK(message["number"] == received);
    if (++received == 10'000) child.disconnect();
  });
  loop.run();
  CHECK(received == 10'000);
}

TEST_CASE("child process: a message that does not convert is an error, and the next one arrives",
          "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork_script(R"(printf '"x"\n7\n' >&3)");
  child.on<"message">([&](int number) { log.push_back(std::to_string(number)); });
  child.on<"error">([&](const tine::Error& error) {
    CHECK(error.code() == tine::Errc::message_type);
    log.emplace_back("error");
  });
  loop.run();
  CHECK(log == Log{"error", "7"});
}

TEST_CASE("child process: run() throws an error without a listener, and the next run does the rest",
          "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork_script(R"(printf 'bad\n7\n' >&3)");
  child.on<"message">([&](int number) { log.push_back(std::to_string(number)); });
  child.on<"exit">([&] { log.emplace_back("exit"); });
  CHECK_THROWS_AS(loop.run(), tine::Error);
  CHECK(log.empty());
  loop.run();
  CHECK(log == Log{"7", "exit"});
}

TEST_CASE("child process: whole lines that came before a kill are delivered", "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork_script(R"(printf '1\n2\n{"torn":' >&3; kill -9 $$)");
  child.on<"message">([&](int number) { log.push_back(std::to_string(number)); });
  log_events(child, log);
  loop.run();
  CHECK(log == Log{"spawn", "connected", "1", "2", "disconnect", "exit signal 9 (Killed)",
                   "close signal 9 (Killed)"});
}

TEST_CASE("child process: a grandchild that holds the channel does not delay the end",
          "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork_script(R"(tail -f /dev/null & printf "$!\n" >&3; exit 5)");
  log_events(child, log);
  int grandchild = 0;
  child.on<"message">([&](int pid) { grandchild = pid; });
  loop.run();
  CHECK(log.back() == "close code 5");
  CHECK(kill(grandchild, SIGKILL) == 0);
}

TEST_CASE("child process: a child that closes its channel lives on", "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork_script("exec 3>&-; exec tail -f /dev/null");
  child.on<"disconnect">([&] {
    log.emplace_back("disconnect");
    CHECK_FALSE(child.exit_status());
    CHECK(child.kill());
    CHECK(child.killed());
  });
  child.on<"exit">([&](tine::ExitStatus status) { CHECK(status.signal == SIGTERM); });
  loop.run();
  CHECK(log == Log{"disconnect"});
}

TEST_CASE("child process: kill() returns false when the child is gone", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("exit 3");
  child.on<"exit">([&] { CHECK_FALSE(child.kill()); });
  loop.run();
  CHECK_FALSE(child.kill(SIGKILL));
  CHECK_FALSE(child.killed());
  CHECK(child.exit_status() == tine::ExitStatus{.code = 3});
}

TEST_CASE("child process: a program that cannot be started is an error, then close", "[process]") {
  const auto options = GENERATE(values<std::pair<std::string, tine::ForkOptions>>({
      {"/nonexistent/program", {}},
      {"/", {}},
      {"/etc/passwd", {}},
      {"echo", {.cwd = "/nonexistent"}},
  }));
  TestLoop loop;
  Log log;
  ExpectCalls refused(1);
  auto child = tine::fork(loop, options.first, options.second);
  log_events(child, log);
  CHECK_FALSE(child.pid());
  CHECK_FALSE(child.connected());
  CHECK_FALSE(child.send(1, [&](std::error_code error) {
    CHECK((error == std::errc::no_such_file_or_directory || error == std::errc::permission_denied));
    refused();
  }));
  CHECK(log.empty());
  loop.run();
  REQUIRE(log.size() == 2);
  CHECK_THAT(log[0], StartsWith("error spawn "));
  CHECK(log[1] == "close unknown");
}

TEST_CASE("child process: a spawn error names the program and the directory", "[process]") {
  TestLoop loop;
  auto child = tine::fork(loop, "./missing", {.cwd = "/tmp"});
  CHECK_THROWS_WITH(loop.run(), ContainsSubstring("spawn ./missing in /tmp") &&
                                    ContainsSubstring("No such file or directory"));
  loop.run();
}

TEST_CASE("child process: it is started with the given options", "[process]") {
  setenv("INHERITED", "yes", 1);
  setenv("REMOVED", "no", 1);
  setenv("NODE_CHANNEL_FD", "99", 1);
  setenv("NODE_UNIQUE_ID", "7", 1);
  const std::string program = test_program("report").string();
  TestLoop loop;
  auto child = tine::fork(loop, program,
                          {.args = {"one", "two words"},
                           .cwd = "/usr",
                           .env = {{"ADDED", "added"}, {"REMOVED", std::nullopt}}});
  json report;
  child.on<"message">([&](json message) { report = std::move(message); });
  loop.run();
  for (const char* const name : {"INHERITED", "REMOVED", "NODE_CHANNEL_FD", "NODE_UNIQUE_ID"})
    unsetenv(name);

  CHECK((report["args"] == json{program, "one", "two words"}));
  CHECK(report["cwd"] == "/usr");
  CHECK(report["env"]["ADDED"] == "added");
  CHECK(report["env"]["INHERITED"] == "yes");
  for (const char* const name : {"REMOVED", "NODE_CHANNEL_FD", "NODE_UNIQUE_ID"}) {
    CHECK(report["env"][name].is_null());
  }
}

TEST_CASE("child process: without the parent's environment it has only the given variables",
          "[process]") {
  TestLoop loop;
  std::string names;
  auto child =
      loop.fork_script(R"sh(printf '"%s"\n' "$(env | cut -d= -f1 | sort | tr '\n' ' ')" >&3)sh",
                       {.env = {{"PATH", "/usr/bin:/bin"}, {"X", "1"}}, .inherit_env = false});
  child.on<"message">([&](std::string text) { names = text; });
  loop.run();
  CHECK_THAT(names, ContainsSubstring("NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE PATH") &&
                        ContainsSubstring(" X"));
  CHECK_THAT(names, !ContainsSubstring("HOME"));
}

TEST_CASE("child process: exec_path runs the module, after its own arguments", "[process]") {
  TestLoop loop;
  const std::string program = test_program("report").string();
  auto child =
      tine::fork(loop, "module", {.args = {"arg"}, .exec_path = program, .exec_args = {"--flag"}});
  json args;
  child.on<"message">([&](const json& message) { args = message["args"]; });
  loop.run();
  CHECK((args == json{program, "--flag", "module", "arg"}));
}

TEST_CASE("child process: it starts with default signals, none of them blocked", "[process]") {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  std::signal(SIGUSR1, SIG_IGN);
  json signals;
  {
    TestLoop loop;
    auto child = loop.fork("report");
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    child.on<"message">([&](const json& message) { signals = message["signals"]; });
    loop.run();
  }
  std::signal(SIGUSR1, SIG_DFL);
  CHECK(signals["SigBlk"] == "0000000000000000");
  CHECK(signals["SigIgn"] == "0000000000000000");
}

TEST_CASE("child process: none of our descriptors leaks into it", "[process]") {
  json expected = json::array();
  for (const auto& [fd, what] : open_descriptors()) {
    if ((fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) expected.push_back(fd);
  }
  TestLoop loop;
  auto sibling = loop.fork("echo");
  sibling.channel().pause();
  auto child = loop.fork("report");
  json descriptors;
  child.on<"message">([&](const json& message) { descriptors = message["descriptors"]; });
  child.on<"close">([&] { sibling.disconnect(); });
  loop.run();
  if (std::find(expected.begin(), expected.end(), 3) == expected.end()) {
    expected.insert(expected.begin() + 3, 3);
  }
  CHECK((descriptors == expected));
}

TEST_CASE("child process: messages wait for a listener that is added after close", "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork_script(R"(printf '1\n2\n' >&3)");
  child.on<"close">([&] { log.emplace_back("close"); });
  loop.run();
  child.on<"message">([&](int number) { log.push_back(std::to_string(number)); });
  CHECK(log == Log{"close"});
  loop.run();
  CHECK(log == Log{"close", "1", "2"});
}

TEST_CASE("child process: without a handle, it runs on and its listeners stay", "[process]") {
  TestLoop loop;
  int exited = 0;
  loop.fork("flood", {.args = {"1"}}).on<"exit">([&] { ++exited; });
  loop.run();
  CHECK(exited == 1);
}

TEST_CASE("child process: a listener that captured its own handle is dropped after close",
          "[process]") {
  const auto captured = std::make_shared<int>();
  TestLoop loop;
  {
    auto child = loop.fork("flood", {.args = {"1"}});
    child.on<"message">([child, captured] {});
  }
  CHECK(captured.use_count() == 2);
  loop.run();
  CHECK(captured.use_count() == 1);
}

TEST_CASE("child process: after unref() it does not keep the loop running", "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  child.unref();
  child.channel().unref();
  loop.run();
  CHECK_FALSE(child.exit_status());
  child.ref();
  child.disconnect();
  loop.run();
  CHECK(child.exit_status());
}

TEST_CASE("child process: ~Loop leaves it running, and leaves no zombie", "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  child.on<"exit">([] { FAIL("a listener ran without a loop"); });
  const int pid = child.pid().value();
  loop.destroy();
  CHECK_FALSE(child.connected());
  CHECK_FALSE(child.send("Hello"));
  child.disconnect();
  CHECK_FALSE(child.kill());
  // The child ends by itself, because its channel is closed. Then it must be reaped.
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  while (kill(pid, 0) == 0 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  CHECK(kill(pid, 0) < 0);
}

TEST_CASE("child process: ~Loop kills it with kill_with_loop", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("exec 3>&-; exec tail -f /dev/null", {.kill_with_loop = true});
  const int pid = child.pid().value();
  loop.destroy();
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  while (kill(pid, 0) == 0 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  CHECK(kill(pid, 0) < 0);
}

TEST_CASE("child process: a listener may fork, disconnect, kill and destroy, in each event",
          "[process]") {
  TestLoop loop;
  int ended = 0;
  std::function<void(int)> start = [&](int left) {
    auto child = std::make_shared<tine::ChildProcess>(loop.fork("flood", {.args = {"3"}}));
    const auto meddle = [&, child, left] {
      child->send("x", [](std::error_code) {});
      if (child->connected()) child->disconnect();
      child->kill(0);
      if (left > 0) start(left - 1);
    };
    if (left == 5) child->once<"spawn">(meddle);
    if (left == 4) child->once<"connected">(meddle);
    if (left == 3) child->once<"message">(meddle);
    if (left == 2) child->once<"disconnect">(meddle);
    if (left == 1) child->once<"exit">(meddle);
    child->on<"error">([](const tine::Error&) {});
    child->on<"close">([&] { ++ended; });
  };
  start(5);
  loop.run();
  CHECK(ended == 6);
}

TEST_CASE("child process: a hundred children that start and end leave nothing behind",
          "[process]") {
  TestLoop loop;
  int closed = 0;
  for (int i = 0; i < 100; ++i) {
    loop.fork_script("printf '1\\n' >&3").on<"close">([&] { ++closed; });
  }
  loop.run();
  CHECK(closed == 100);
}

TEST_CASE("child process: each of several threads has a loop with its own children", "[process]") {
  const TestLoop checked_at_the_end;
  std::atomic<int> answers = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      tine::Loop loop;
      for (int n = 0; n < 5; ++n) {
        auto child = tine::fork(loop, test_program("echo"));
        child.on<"message">([&, child] {
          ++answers;
          child.disconnect();
        });
        child.send("Hello");
      }
      loop.run();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(answers == 20);
}

TEST_CASE("child process: a handle that outlives the child and the loop is inert", "[process]") {
  tine::ChildProcess child;
  TestLoop loop;
  child = loop.fork("flood", {.args = {"2"}});
  loop.run();
  loop.destroy();
  CHECK_FALSE(child.send("late"));
  child.disconnect();
  child.channel().resume();
  child.on<"message">([] { FAIL("a listener ran without a loop"); });
  CHECK_FALSE(child.kill());
}

TEST_CASE("child process: with an error listener, a failed start throws nothing", "[process]") {
  TestLoop loop;
  Log log;
  auto child = tine::fork(loop, "/nonexistent/program");
  child.on<"error">([&](const tine::Error& error) { log.push_back(error.code().message()); });
  child.on<"close">([&] {
    log.emplace_back("close");
    child.send("in close");
  });
  child.send("before");
  loop.run();
  child.send("after");
  loop.run();
  CHECK(log == Log{"No such file or directory", "close"});
  CHECK(child.channel().lost_messages() == 3);
}

TEST_CASE("child process: if other code waits for it, its exit status is unknown", "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork_script("exit 3");
  log_events(child, log);
  REQUIRE(waitpid(child.pid().value(), nullptr, 0) == child.pid());
  loop.run();
  CHECK(log == Log{"spawn", "connected", "disconnect", "exit unknown", "close unknown"});
}

TEST_CASE("child process: a failed conversion is reported even if a later listener throws",
          "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork("raw", {.args = {"send", R"("x"\n)"}});
  child.on<"message">([](int) {});
  child.on<"message">([] { throw std::runtime_error("thrown"); });
  child.on<"error">([&](const tine::Error& error) { log.push_back(error.code().message()); });
  CHECK_THROWS_WITH(loop.run(), "thrown");
  loop.run();
  CHECK(log == Log{make_error_code(tine::Errc::message_type).message()});
}

TEST_CASE("child process: the error of a refused text has the offset of the fault", "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  std::vector<std::optional<std::size_t>> offsets;
  child.on<"error">([&](const tine::Error& error) { offsets.push_back(error.offset()); });
  child.send(tine::Text{R"({"a":})"});
  child.send(json("\xff"));
  child.disconnect();
  loop.run();
  CHECK(offsets == std::vector<std::optional<std::size_t>>{5, std::nullopt});
}

TEST_CASE("child process: peer_has_read_all() reports whether the peer has read all messages",
          "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  child.kill(SIGSTOP);
  child.on<"message">([&](const json&) {
    CHECK(child.channel().peer_has_read_all());
    child.disconnect();
  });
  child.send(json("read"));
  CHECK_FALSE(child.channel().peer_has_read_all());
  child.kill(SIGCONT);
  loop.run();
  CHECK(child.channel().peer_has_read_all());
}

TEST_CASE("child process: an empty handle has no child and reports nothing", "[process]") {
  const tine::ChildProcess child;
  CHECK_FALSE(child);
  const auto captured = std::make_shared<int>();
  const tine::Subscription subscription = child.on<"message">([captured] { FAIL("called"); });
  CHECK_FALSE(child.off(subscription));
  CHECK(child.listener_count<"message">() == 0);
  CHECK_FALSE(child.send("lost", [captured](std::error_code) { FAIL("called"); }));
  CHECK_FALSE(child.send(tine::Text{"1"}, tine::Handle(), {}));
  CHECK(captured.use_count() == 1);

  child.disconnect();
  child.stop();
  child.ref();
  child.unref();
  CHECK_FALSE(child.connected());
  CHECK_FALSE(child.kill());
  CHECK_FALSE(child.kill_tree());
  CHECK_FALSE(child.killed());
  CHECK_FALSE(child.pid());
  CHECK_FALSE(child.exit_status());
  CHECK_FALSE(child.exit_code());
  CHECK_FALSE(child.signal_code());
  CHECK_FALSE(child.resource_usage());
  CHECK_FALSE(child.out());
  CHECK_FALSE(child.stdio(7));
  CHECK(child.spawn_file().empty());
  CHECK(child.spawn_args().empty());
}

TEST_CASE("channel: an empty handle is closed and has nothing queued", "[process]") {
  const tine::Channel channel = tine::ChildProcess().channel();
  CHECK_FALSE(channel);
  channel.ref();
  channel.unref();
  channel.pause();
  channel.resume();
  CHECK(channel.flush());
  CHECK_FALSE(channel.open());
  CHECK(channel.queued_bytes() == 0);
  CHECK(channel.torn_bytes() == 0);
  CHECK(channel.lost_messages() == 0);
  CHECK(channel.peer_has_read_all());
}

TEST_CASE("child process: text of advanced serialization has objects for what JSON lacks",
          "[process]") {
  const bool value_too = GENERATE(false, true);
  TestLoop loop;
  auto child = loop.fork("echo", {.serialization = tine::Serialization::advanced});
  const std::string text = R"({"a":{"$binary":"aGk="},"b":{"$number":"NaN"},"c":1.0})";
  const std::string back = R"({"a":{"$binary":"aGk="},"b":{"$number":"NaN"},"c":1})";
  ExpectCalls received(1);
  ExpectCalls received_value(value_too ? 1 : 0);

  child.send(tine::Text{text});
  child.on<"message">([&](tine::Text message) {
    received();
    CHECK(message.json == back);
    child.disconnect();
  });
  if (value_too) {
    child.on<"message">([&](const json& message) {
      received_value();
      CHECK(message["a"] == json::binary({'h', 'i'}));
      CHECK(message["b"].is_number_float());
    });
  }
  loop.run();
}
