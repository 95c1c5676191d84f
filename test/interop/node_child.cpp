// A C++ parent and its JavaScript children, which node_child.js has. They run with the runtime that
// TINE_TEST_RUNTIME names.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interop/runtime.hpp"
#include "support/catch.hpp"
#include "support/odd_lines.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;

namespace {

tine::ChildProcess fork_javascript(TestLoop& loop, std::vector<std::string> args,
                                   tine::ForkOptions options = {}) {
  const tine::ForkOptions run = runtime::options();
  options.exec_path = run.exec_path;
  options.exec_args.insert(options.exec_args.begin(), run.exec_args.begin(), run.exec_args.end());
  options.args = std::move(args);
  options.kill_with_loop = run.kill_with_loop;
  return tine::fork(loop, runtime::script("node_child.js"), std::move(options));
}

// What differs between the runtimes.
struct Facts {
  std::string name = "node";
  // An option, and what process.execArgv has of all options.
  std::string option = "--no-warnings";
  std::vector<std::string> exec_argv = {"--no-warnings"};
  // How often a server and a socket are sent if the parent refuses them.
  int server_attempts = 1;
  int socket_attempts = 4;
  // Whether anything is sent after a handle that was refused.
  bool sends_after_refusal = true;
  // Whether send() writes at once, and not on a later turn.
  bool writes_at_once = true;
  // Whether "advanced" is Node's serialization, and not one of the runtime's own.
  bool has_advanced = true;
};

const Facts& facts() {
  static const Facts node;
  static const Facts bun{
      .name = "bun", .server_attempts = 3, .socket_attempts = 3, .has_advanced = false};
  static const Facts deno{.name = "deno",
                          .option = "--quiet",
                          .exec_argv = {},
                          .socket_attempts = 1,
                          .sends_after_refusal = false,
                          .writes_at_once = false};
  return runtime::is_bun() ? bun : runtime::is_deno() ? deno : node;
}

using Events = std::vector<std::string>;

// Records the events and messages of a child in order: events such as "exit, code 0", and messages
// as JSON text.
void record(tine::ChildProcess& child, Events& events) {
  child.on<"message">([&](const json& message) { events.push_back(message.dump()); });
  child.on<"disconnect">([&] { events.push_back("disconnect"); });
  child.on<"exit">(
      [&](const tine::ExitStatus& status) { events.push_back("exit, " + to_string(status)); });
  child.on<"close">(
      [&](const tine::ExitStatus& status) { events.push_back("close, " + to_string(status)); });
}

// Returns message number i of an exchange, the same as sample() of sample.js.
json sample(int i) {
  return {
      {"number", i},
      {"text", "Grüße " + std::to_string(i) + ", 你好 😀 \u2028\u2029" + std::string(1, '\0') +
                   "\x1f\x7f\u0080 \"\\/\b\f\n\r\t"},
      {"nested",
       {{"list", {json::array(), json::object(), {i, json::array({i + 0.5})}}},
        {"ключ 😀", {{"", nullptr}}}}},
      {"numbers",
       {9007199254740992, -9007199254740992, 1e21, -0.0, 1e-7, 5e-324, 1.7976931348623157e308,
        0.1}},
      {"flags", {true, false}},
  };
}

// Returns the same text as largeText() of sample.js.
std::string large_text(std::size_t bytes) {
  const std::string piece = "aé你😀";
  std::string text;
  while (text.size() + piece.size() <= bytes) text += piece;
  return text;
}

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += {digits[value / 16], digits[value % 16]};
  }
  return text;
}

}  // namespace

TEST_CASE("node child: its channel may be at any slot, and its output is a stream", "[interop]") {
  using tine::Stdio;
  TestLoop loop;
  std::string output;
  auto child = fork_javascript(loop, {"print"},
                               {.stdio = {Stdio::ignore(), Stdio::pipe(), Stdio::inherit(),
                                          Stdio::ignore(), Stdio::ignore(), Stdio::ipc()}});
  child.out().on<"data">([&](std::string_view bytes) { output += bytes; });
  child.send("it");
  loop.run();
  CHECK(output == "got it\n");
  CHECK(child.exit_code() == 0);
}

TEST_CASE("node child: 2 000 messages each way arrive in order and unchanged") {
  constexpr int count = 2000;
  TestLoop loop;
  auto child = fork_javascript(loop, {"exchange", std::to_string(count)});
  ExpectCalls received(count);
  ExpectCalls written(count);

  for (int i = 0; i < count; ++i) {
    child.send(sample(i), [&](std::error_code error) {
      written();
      CHECK(!error);
    });
  }
  child.on<"message">([&](const json& message) {
    CHECK(message == sample(received.count()));
    received();
    if (received.count() == count) child.disconnect();
  });
  loop.run();

  CHECK(child.exit_status()->success());
}

TEST_CASE("node child: values that JSON has no word for come back unchanged in advanced mode") {
  TestLoop loop;
  tine::ForkOptions options = runtime::options();
  options.serialization = tine::Serialization::advanced;
  auto child = tine::fork(loop, runtime::script("advanced_child.js"), std::move(options));
  Events events;
  child.on<"message">([&](const json& message) { child.send(message); });
  child.on<"error">([&](const tine::Error& error) {
    CHECK(error.code() == tine::Errc::unsupported_serialization);
    events.push_back("error");
  });
  child.on<"disconnect">([&] { events.push_back("disconnect"); });
  child.on<"exit">([&](const tine::ExitStatus& status) { events.push_back(to_string(status)); });
  loop.run();
  if (facts().has_advanced) {
    CHECK(events == Events{"disconnect", "code 0"});
  } else {
    CHECK(events == Events{"error", "disconnect", "code 0"});
  }
}

TEST_CASE("node child: a lone surrogate that Node escapes arrives as U+FFFD") {
  TestLoop loop;
  auto child = fork_javascript(loop, {"loneSurrogates"});
  ExpectCalls received(1);

  child.on<"message">([&](const json& message) {
    received();
    CHECK(message == json{{"text", "a\uFFFDb\uFFFD"}, {"key\uFFFD", "\uFFFD"}});
  });
  loop.run();
}

TEST_CASE("node child: a large message comes back unchanged") {
  const auto mebibytes = GENERATE(1, scaled(8, 32));
  const std::string text = large_text(static_cast<std::size_t>(mebibytes) << 20);
  TestLoop loop;
  auto child = fork_javascript(loop, {"echo"});
  ExpectCalls received(1);

  child.send(text);
  child.on<"message">([&](const std::string& answer) {
    received();
    CHECK((answer == text));  // in parentheses, so that it is not printed
    child.disconnect();
  });
  loop.run();

  CHECK(child.exit_status()->success());
}

TEST_CASE("node child: both sides see one disconnect if the parent disconnects") {
  TestLoop loop;
  auto child = fork_javascript(loop, {"echo"});
  Events events;

  child.send("hello");
  child.on<"message">([&] { child.disconnect(); });
  record(child, events);
  loop.run();

  CHECK(events == Events{"\"hello\"", "disconnect", "exit, code 0", "close, code 0"});
}

TEST_CASE("node child: both sides see one disconnect if the child disconnects") {
  TestLoop loop;
  auto child = fork_javascript(loop, {"disconnect"});
  Events events;

  child.send("disconnect");
  record(child, events);
  loop.run();

  CHECK(events == Events{"\"last\"", "disconnect", "exit, code 0", "close, code 0"});
}

TEST_CASE("node child: ten thousand queued messages arrive before an immediate disconnect") {
  constexpr int count = 10000;
  TestLoop loop;
  auto child = fork_javascript(loop, {"count", std::to_string(count)});
  ExpectCalls written(count);

  for (int i = 0; i < count; ++i) {
    child.send({{"number", i}, {"text", std::string(1000, 'x')}}, [&](std::error_code error) {
      written();
      CHECK(!error);
    });
  }
  child.disconnect();
  loop.run();

  CHECK(child.exit_status()->success());
}

TEST_CASE("node child: ten thousand messages arrive before its natural end") {
  constexpr int count = 10000;
  TestLoop loop;
  auto child = fork_javascript(loop, {"flood", std::to_string(count)});
  ExpectCalls received(count);
  Events events;

  child.on<"message">([&](const json& message) {
    CHECK(message["number"] == received.count());
    CHECK(events.empty());
    received();
  });
  child.on<"disconnect">([&] { events.push_back("disconnect"); });
  child.on<"exit">([&] { events.push_back("exit"); });
  child.on<"close">([&] { events.push_back("close"); });
  loop.run();

  CHECK(events == Events{"disconnect", "exit", "close"});
}

// What fits in the socket is written. The runtime loses the rest.
TEST_CASE("node child: of what it sends right before exit(), the first messages arrive") {
  constexpr int count = 10000;
  TestLoop loop;
  auto child = fork_javascript(loop, {"flood", std::to_string(count), "exits"});
  int received = 0;

  child.on<"message">([&](const json& message) { CHECK(message["number"] == received++); });
  loop.run();

  CHECK(child.exit_code() == 3);
  CHECK((received > 0) == facts().writes_at_once);
}

TEST_CASE("node child: its exit code is reported") {
  TestLoop loop;
  auto child = fork_javascript(loop, {"exit", "42"});
  Events events;

  record(child, events);
  loop.run();

  CHECK(events == Events{"\"last\"", "disconnect", "exit, code 42", "close, code 42"});
}

TEST_CASE("node child: the last events come in order when it is killed") {
  const auto [signal, text] = GENERATE(table<int, std::string>(
      {{SIGKILL, "signal 9 (Killed)"}, {SIGTERM, "signal 15 (Terminated)"}}));
  TestLoop loop;
  auto child = fork_javascript(loop, {"echo"});
  Events events;

  child.send("hello");
  child.on<"message">([&, signal = signal] { CHECK(child.kill(signal)); });
  record(child, events);
  loop.run();

  CHECK(events == Events{"\"hello\"", "disconnect", "exit, " + text, "close, " + text});
}

TEST_CASE("node child: messages that are written before it kills itself arrive") {
  const int written = facts().writes_at_once ? 20 : 0;
  TestLoop loop;
  auto child = fork_javascript(loop, {"killItself"});
  Events events;
  Events expected;

  for (int i = 0; i < written; ++i) expected.push_back(json{{"number", i}}.dump());
  expected.insert(expected.end(),
                  {"disconnect", "exit, signal 9 (Killed)", "close, signal 9 (Killed)"});
  record(child, events);
  loop.run();

  CHECK(events == expected);
}

TEST_CASE("node child: its complete lines arrive if it is killed at any byte") {
  const std::string bytes = "1\n{\"é\":2}\n\"x\"\n";
  const Events all{"1", R"({"é":2})", R"("x")"};
  // The runtime does not matter much here, because the bytes are written by hand.
  const std::size_t step = runtime::is_named() ? 5 : 1;
  TestLoop loop;
  std::vector<Events> events(bytes.size() + 1);

  for (std::size_t length = 0; length <= bytes.size(); length += step) {
    auto child =
        fork_javascript(loop, {"writeThenKillItself", hexadecimal(bytes).substr(0, 2 * length)});
    record(child, events[length]);
  }
  loop.run();

  for (std::size_t length = 0; length <= bytes.size(); length += step) {
    const auto lines = std::count(bytes.begin(), bytes.begin() + static_cast<long>(length), '\n');
    Events expected(all.begin(), all.begin() + lines);
    expected.insert(expected.end(),
                    {"disconnect", "exit, signal 9 (Killed)", "close, signal 9 (Killed)"});
    CHECK(events[length] == expected);
  }
}

TEST_CASE("node child: each odd line that it writes by hand is read as expected") {
  std::string lines;
  Events expected;
  for (const OddLine& odd : odd_lines) {
    lines += odd.bytes + "\n\"good\"\n";
    expected.push_back(odd.taken_as.value_or("error"));
    expected.push_back("\"good\"");
  }
  expected.insert(expected.end(), {"\"after\"", "disconnect", "exit, code 0", "close, code 0"});
  TestLoop loop;
  auto child = fork_javascript(loop, {"writeThenSend", hexadecimal(lines)});
  Events events;

  child.on<"error">([&](const tine::Error& error) {
    CHECK(error.code() == tine::Errc::bad_message);
    events.push_back("error");
  });
  record(child, events);
  loop.run();

  CHECK(events == expected);
}

TEST_CASE("node child: the next message arrives if a handle is refused") {
  const std::string kind = GENERATE("server", "socket");
  const int attempts = kind == "server" ? facts().server_attempts : facts().socket_attempts;
  TestLoop loop;
  auto child = fork_javascript(loop, {"sendHandle", kind}, {.channel = {.descriptor_limit = 0}});
  ExpectCalls refused(attempts);
  Events events;

  child.on<"error">([&](const tine::Error& error) {
    refused();
    CHECK(error.code() == tine::Errc::handle_refused);
    CHECK(events.empty());
    if (!facts().sends_after_refusal) child.disconnect();
  });
  record(child, events);
  loop.run();

  Events expected{"disconnect", "exit, code 0", "close, code 0"};
  if (facts().sends_after_refusal) expected.insert(expected.begin(), "\"after\"");
  CHECK(events == expected);
}

TEST_CASE("node child: unknown NODE_ messages are ignored by both sides") {
  TestLoop loop;
  auto child = fork_javascript(loop, {"internal"});
  Events events;

  child.send({{"cmd", "NODE_UNKNOWN"}});
  child.send({{"cmd", "NODE_"}});
  child.send("after");
  child.on<"message">([&](const json& message) {
    if (message == "after") child.disconnect();
  });
  record(child, events);
  loop.run();

  CHECK(events ==
        Events{R"({"cmd":"NODE_"})", "\"after\"", "disconnect", "exit, code 0", "close, code 0"});
}

TEST_CASE("node child: it gets exec_args before the module and args after it") {
  TestLoop loop;
  auto child =
      fork_javascript(loop, {"started", "--one", "two words"}, {.exec_args = {facts().option}});
  ExpectCalls received(1);

  child.on<"message">([&](const json& message) {
    received();
    CHECK(message == json{{"runtime", facts().name},
                          {"execArgv", facts().exec_argv},
                          {"args", {"--one", "two words"}}});
  });
  loop.run();

  CHECK(child.exit_status()->success());
}

TEST_CASE("node child: it ends by itself if its listener does not keep the channel open") {
  TestLoop loop;
  auto child = fork_javascript(loop, {"listenUnreferenced"});
  Events events;

  record(child, events);
  loop.run();

  CHECK(events == Events{"disconnect", "exit, code 0", "close, code 0"});
}
