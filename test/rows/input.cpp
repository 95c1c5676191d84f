// Faults of input: lines without end, without number, without bottom. See ends.cpp for the rows.
#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

// How long the loop has been busy at most without looking at its timers. It is the time of this thread's
// that counts: on a busy machine the clock goes on without us.
class Lag {
 public:
  explicit Lag(TestLoop& loop) : loop_(loop), last_(now()) { next(); }
  Lag(const Lag&) = delete;
  Lag& operator=(const Lag&) = delete;
  ~Lag() { timer_.cancel(); }

  std::chrono::milliseconds longest() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(longest_);
  }

 private:
  static std::chrono::nanoseconds now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }

  void next() {
    timer_ = loop_->after(1ms, [this] {
      const auto looked = now();
      longest_ = std::max(longest_, looked - last_);
      last_ = looked;
      next();
    });
    timer_.unref();
  }

  TestLoop& loop_;
  tine::Timer timer_;
  std::chrono::nanoseconds last_;
  std::chrono::nanoseconds longest_{};
};

// Takes what a child of the program `bulk` sends: how many errors, and the strings.
struct Taken {
  explicit Taken(tine::ChildProcess child) {
    child.on<"message">([this](const json& message) {
      messages.push_back(message.is_string() ? message.get<std::string>() : message.type_name());
    });
    child.on<"error">([this](const tine::Error& error) {
      ++errors;
      last_error = error.code();
    });
  }
  Log messages;
  int errors = 0;
  std::error_code last_error;
};

std::chrono::milliseconds time_to_take(TestLoop& loop, const std::vector<std::string>& args) {
  const auto start = std::chrono::steady_clock::now();
  auto child = loop.fork("bulk", {.args = args});
  const Taken taken(child);
  loop.run();
  CHECK(taken.errors == 0);
  CHECK(taken.messages.size() == 2);
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

}  // namespace

TEST_CASE("fault 13: a line without end is an error at max_line, and is not buffered past it",
          "[faults]") {
  const std::string what = GENERATE(as<std::string>{}, "endless", "blanks", "arrays");
  constexpr std::size_t bound = 16 * mebibyte;
  TestLoop loop;
  Invariants invariants(loop, 2 * bound + 16 * mebibyte);
  auto child = invariants.watch(
      loop.fork("bulk", {.args = {what, "1073741824"}, .channel = {.max_line = bound}}));
  const Taken taken(child);
  loop.run();
  CHECK(taken.messages.empty());
  CHECK(taken.errors == 1);
  CHECK(taken.last_error == tine::Errc::message_too_long);
  CHECK((child.exit_status() == tine::ExitStatus{.code = 1}));  // it is not listened to any more
  invariants.check();
}

TEST_CASE("fault 14: very many empty lines, and very many blanks, leave the loop responsive",
          "[faults]") {
  const std::string what = GENERATE(as<std::string>{}, "empty", "blank-lines");
  const int count = what == "empty" ? scaled(300'000, 10'000'000) : scaled(20 << 20, 1 << 30);
  TestLoop loop;
  Invariants invariants(loop);
  const Lag lag(loop);
  auto child = invariants.watch(loop.fork("bulk", {.args = {what, std::to_string(count)}}));
  const Taken taken(child);
  loop.run();
  CHECK(taken.messages == Log{"end"});
  CHECK(taken.errors > 0);
  CHECK(taken.last_error == tine::Errc::bad_message);
  if (!sanitized) CHECK(lag.longest() < 50ms);
  invariants.check();
}

TEST_CASE("fault 15: nesting is taken up to the bound, and is an error past it", "[faults]") {
  const std::string what = GENERATE(as<std::string>{}, "arrays", "objects");
  const int depth = GENERATE(100, 1000, 1001, 100'000, 5'000'000);
  TestLoop loop;
  Invariants invariants(loop, 512 * mebibyte);
  auto child = invariants.watch(loop.fork("bulk", {.args = {what, std::to_string(depth)}}));
  const Taken taken(child);
  loop.run();
  if (depth <= 1000) {
    CHECK(taken.messages == Log{what == "arrays" ? "array" : "object", "end"});
    CHECK(taken.errors == 0);
  } else {
    CHECK(taken.messages == Log{"end"});
    CHECK(taken.errors == 1);
    CHECK(taken.last_error == tine::Errc::bad_message);
  }
  if (depth == 5'000'000) invariants.check();
}

TEST_CASE("fault 16: an object of very many keys, of one key many times, is read in linear time",
          "[faults]") {
  const std::string what = GENERATE(as<std::string>{}, "keys", "same-keys");
  const int count = scaled(100'000, 1'000'000);
  TestLoop loop;
  Invariants invariants(loop, 1024 * mebibyte);
  const auto time = time_to_take(loop, {what, std::to_string(count)});
  if (!sanitized) CHECK(time < 2s);
  invariants.check();
}

TEST_CASE("fault 16: numbers that fit no number are errors, quickly, and the next line is told",
          "[faults]") {
  TestLoop loop;
  Invariants invariants(loop);
  auto digits = invariants.watch(loop.fork("bulk", {.args = {"digits", "1000000"}}));
  const Taken of_digits(digits);
  auto child = invariants.watch(loop.fork(
      "raw",
      {.args = {"send",
                R"(1e400\n9007199254740993\n-0\n-1e999\n{"__proto__":1,"__proto__":2}\n)"}}));
  Log log;
  child.on<"message">([&](const json& message) { log.push_back(message.dump()); });
  child.on<"error">([&](const tine::Error&) { log.emplace_back("error"); });
  loop.run();
  CHECK(of_digits.messages == Log{"end"});
  CHECK(of_digits.errors == 1);
  CHECK(log == Log{"error", "9007199254740993", "0", "error", R"({"__proto__":2})"});
  invariants.check();
}

TEST_CASE("fault 18: internal messages that make no sense are ignored, and told to nobody",
          "[faults]") {
  const std::vector<std::string> values{
      R"("x")", "{}", "[]", "null", "true", "-1", "1e30", "9223372036854775808", "-0.5", R"("")"};
  std::string lines;
  for (const std::string command :
       {"NODE_X", "NODE_CLUSTER", "NODE_HANDLE_ACK", "NODE_HANDLE_NACK", "NODE_SOCKET_NOTIFY_CLOSE",
        "NODE_SOCKET_COUNT", "NODE_SOCKET_GET_COUNT"}) {
    for (const std::string& value : values) {
      lines += R"({"cmd":")" + command + R"(","seq":)" + value + R"(,"ack":)" + value +
               R"(,"key":)" + value + R"(,"act":)" + value + R"(,"type":)" + value + R"(,"msg":)" +
               value + "}\n";
    }
  }
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(
      loop.fork("raw", {.args = {"send", lines, "send", R"("last"\n)", "await-end"}}));
  child.on<"message">([&](const json& message) {
    log.push_back(message.dump());
    child.disconnect();
  });
  child.on<"error">([&](const tine::Error& error) { log.emplace_back(error.what()); });
  loop.run();
  CHECK(log == Log{R"("last")"});
  invariants.check();
}
