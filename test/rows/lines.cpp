// Malformed and unusual lines, and lines that come in pieces.
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/escaped.hpp"
#include "support/invariants.hpp"
#include "support/odd_lines.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

// 200 bytes of messages, and the values that they contain.
const std::string stream = R"({"é":"😀","list":[1,2.5,-3e2,true,false,null,{}]})"
                           "\n"
                           R"("\u00e9\ud83d\ude00 \"\\\/\b\f\n\r\t")"
                           "\n[]\n"
                           R"({"nested":{"key":[[["deep"]]]},"你好":"ключ"})"
                           "\n 1 \r\n"
                           R"("0123456789012345678901234567890123456789012345")"
                           "\n";
const Log values{R"({"list":[1,2.5,-300.0,true,false,null,{}],"é":"😀"})",
                 R"("é😀 \"\\/\b\f\n\r\t")",
                 "[]",
                 R"({"nested":{"key":[[["deep"]]]},"你好":"ключ"})",
                 "1",
                 R"("0123456789012345678901234567890123456789012345")"};

void log_messages(tine::ChildProcess& child, Log& log) {
  child.on<"message">([&log](const json& message) { log.push_back(message.dump()); });
  child.on<"error">([&log](const tine::Error& error) {
    log.push_back(error.code() == tine::Errc::bad_message ? "bad" : error.what());
  });
}

Log repeated(const Log& log, std::size_t times) {
  Log all;
  for (std::size_t i = 0; i < times; ++i) all.insert(all.end(), log.begin(), log.end());
  return all;
}

}  // namespace

TEST_CASE("row 11: a stream may be cut at every byte", "[rows]") {
  REQUIRE(stream.size() == 200);
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork("raw", {.args = {"cuts", escaped(stream)}}));
  child.on<"message">([&](const json& message) {
    if (message == "cut") {
      child.send(1, invariants.sent());
    } else {
      log.push_back(message.dump());
    }
  });
  loop.run();
  CHECK(log == repeated(values, stream.size() + 1));
  invariants.check();
}

TEST_CASE("row 11: a stream may come in pieces of any size", "[rows]") {
  const std::string size = GENERATE(as<std::string>{}, "1", "2", "3", "137", "143");
  constexpr std::size_t times = 100;
  std::string many;
  for (std::size_t i = 0; i < times; ++i) many += stream;
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork("raw", {.args = {"pieces", size, escaped(many)}}));
  log_messages(child, log);
  loop.run();
  CHECK(log == repeated(values, times));
  invariants.check();
}

TEST_CASE("row 11: messages that come back in pieces of 143 and 137 bytes are unchanged",
          "[rows]") {
  const int count = scaled(1000, 10'000);
  TestLoop loop;
  Invariants invariants(loop, 32 * mebibyte);
  const auto message_of = [](int i) {
    return json{{"number", i}, {"text", std::string(static_cast<std::size_t>(i) % 700, 'x') + "é"}};
  };
  int in_order = 0;
  auto child = invariants.watch(loop.fork("raw", {.args = {"relay", "143", "137"}}));
  child.on<"message">([&](const json& message) {
    in_order += message == message_of(in_order);
    if (in_order == count) child.disconnect();
  });
  for (int i = 0; i < count; ++i) child.send(message_of(i), invariants.sent());
  loop.run();
  CHECK(in_order == count);
  CHECK(invariants.successes() == count);
  invariants.check();
}

TEST_CASE("row 12: each odd line is read as expected, before, between and after good lines",
          "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  for (const OddLine& odd : odd_lines) {
    INFO(odd.bytes);
    Log log;
    const std::string lines = odd.bytes + "\n1\n" + odd.bytes + "\n2\n" + odd.bytes + "\n";
    auto child = invariants.watch(loop.fork("raw", {.args = {"send", escaped(lines)}}));
    log_messages(child, log);
    loop.run();
    const std::string expected = odd.taken_as.value_or("bad");
    CHECK(log == Log{expected, "1", expected, "2", expected});
  }
  invariants.check();
}

TEST_CASE("row 12: among odd lines, all good lines are delivered in order", "[rows]") {
  constexpr int rounds = 20;
  std::string all;
  Log expected;
  int good = 0;
  for (int round = 0; round < rounds; ++round) {
    for (const OddLine& odd : odd_lines) {
      all += odd.bytes + "\n" + std::to_string(good) + "\n";
      if (odd.taken_as) expected.push_back(*odd.taken_as);
      expected.push_back(std::to_string(good++));
    }
  }
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork("raw", {.args = {"send", escaped(all)}}));
  log_messages(child, log);
  loop.run();
  std::erase(log, "bad");
  CHECK(log == expected);
  invariants.check();
}

TEST_CASE("row 17: values that were accepted are written as valid UTF-8", "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  Log expected;
  auto child = invariants.watch(loop.fork("raw", {.args = {"relay", "100", "100"}}));
  for (const OddLine& odd : odd_lines) {
    if (!odd.taken_as) continue;
    child.send(tine::Text{odd.bytes}, invariants.sent());
    expected.push_back(*odd.taken_as);
  }
  // The messages that come back are sent once more, as values.
  child.on<"message">([&](const json& message) {
    log.push_back(message.dump());
    if (log.size() <= expected.size()) child.send(message, invariants.sent());
    if (log.size() == 2 * expected.size()) child.disconnect();
  });
  loop.run();
  CHECK(log == repeated(expected, 2));
  CHECK(invariants.successes() == static_cast<int>(log.size()));
  invariants.check();
}

TEST_CASE("row 18: internal messages that make no sense are ignored, and not delivered", "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork(
      "raw", {.args = {"send", internal_nonsense(), "send", R"("last"\n)", "await-end"}}));
  child.on<"message">([&](const json& message) {
    log.push_back(message.dump());
    child.disconnect();
  });
  child.on<"error">([&](const tine::Error& error) { log.emplace_back(error.what()); });
  loop.run();
  CHECK(log == Log{R"("last")"});
  invariants.check();
}

TEST_CASE("row 30: plain text on the channel is an error, and messages still arrive", "[rows]") {
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
