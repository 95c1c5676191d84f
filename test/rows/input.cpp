// Faults of input: endless lines, very many lines, and very deep nesting.
#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/scale.hpp"
#include "support/small_stack.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

// Returns the CPU time of this thread, because on a busy machine the elapsed time means less.
std::chrono::nanoseconds thread_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Measures the longest CPU time during which the loop did not look at its timers.
class Lag {
 public:
  explicit Lag(TestLoop& loop) : loop_(loop), last_(thread_time()) { next(); }
  Lag(const Lag&) = delete;
  Lag& operator=(const Lag&) = delete;
  ~Lag() { timer_.cancel(); }

  std::chrono::milliseconds longest() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(longest_);
  }

 private:
  void next() {
    timer_ = loop_->after(1ms, [this] {
      const auto looked = thread_time();
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

// The messages of a child, and the number of its errors. Strings are logged as they are, other
// values by their type.
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

std::chrono::nanoseconds time_to_take(TestLoop& loop, const std::vector<std::string>& args) {
  const auto start = thread_time();
  auto child = loop.fork("bulk", {.args = args});
  const Taken taken(child);
  loop.run();
  CHECK(taken.errors == 0);
  CHECK(taken.messages.size() == 2);
  return thread_time() - start;
}

}  // namespace

TEST_CASE("row 13: a line without end is an error at max_line, and no more of it is buffered",
          "[rows]") {
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
  CHECK((child.exit_status() == tine::ExitStatus{.code = 1}));  // because its channel is closed
  invariants.check();
}

TEST_CASE("row 14: very many empty lines, blanks and bad lines leave the loop responsive",
          "[rows]") {
  const auto [what, count] = GENERATE(table<std::string, int>(
      {{"empty", 1'000'000}, {"blank-lines", 100 << 20}, {"bad-lines", 2 << 20}}));
  const int rounds = scaled(1, 10);  // the deadline is for each round
  TestLoop loop;
  Invariants invariants(loop);
  const Lag lag(loop);
  for (int round = 0; round < rounds; ++round) {
    auto child = invariants.watch(loop.fork("bulk", {.args = {what, std::to_string(count)}}));
    const Taken taken(child);
    loop.run();
    CHECK(taken.messages == Log{"end"});
    CHECK(taken.errors > 0);
    CHECK(taken.last_error == tine::Errc::bad_message);
  }
  if (!sanitized) CHECK(lag.longest() < 50ms);
  invariants.check();
}

TEST_CASE("row 15: nesting up to the limit is accepted, deeper nesting is an error", "[rows]") {
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

TEST_CASE("row 15: a loop on a stack of 256 KiB accepts and sends nesting up to the limit",
          "[rows]") {
  const std::string what = GENERATE(as<std::string>{}, "arrays", "objects");
  const TestLoop checks_what_is_left;
  std::vector<std::string> log;
  run_on_stack(256 << 10, [&] {
    tine::Loop loop;
    auto child = tine::fork(loop, test_program("bulk"),
                            {.args = {what, "1000", what, "1001", what, "5000000"}});
    auto echo = tine::fork(loop, test_program("echo"));
    child.on<"message">([&](const json& message) { echo.send(message); });
    child.on<"error">([&](const tine::Error& error) { log.push_back(error.code().message()); });
    echo.on<"message">([&](const json& message) {
      log.push_back(message == "end" ? "end" : message.type_name());
      if (message == "end") echo.disconnect();
    });
    loop.run();
  });
  // The log has messages of two children, in any order. Several bad lines may be one error.
  std::sort(log.begin(), log.end());
  log.erase(std::unique(log.begin(), log.end()), log.end());
  const std::string bad = make_error_code(tine::Errc::bad_message).message();
  std::vector<std::string> expected{bad, what == "arrays" ? "array" : "object", "end"};
  std::sort(expected.begin(), expected.end());
  CHECK(log == expected);
}

TEST_CASE("row 15: nesting ten million deep is refused at little cost", "[rows]") {
  const std::string what = GENERATE(as<std::string>{}, "arrays", "objects");
  TestLoop loop;
  Invariants invariants(loop, 192 * mebibyte);  // three times the longer of the two lines
  const auto start = thread_time();
  auto child = invariants.watch(loop.fork("bulk", {.args = {what, "10000000"}}));
  const Taken taken(child);
  loop.run();
  if (!sanitized) CHECK(thread_time() - start < 1s);
  CHECK(taken.messages == Log{"end"});
  CHECK(taken.errors == 1);
  invariants.check();
}

TEST_CASE("row 16: a long line is read in linear time", "[rows]") {
  const int size = scaled(10'000'000, 100'000'000);
  TestLoop loop;
  Invariants invariants(loop, 1024 * mebibyte);
  const auto time = time_to_take(loop, {"text", std::to_string(size)});
  if (!sanitized) CHECK(time < 2s);
  invariants.check();
}

TEST_CASE("row 16: an object with very many keys, or one key many times, is read in linear time",
          "[rows]") {
  const std::string what = GENERATE(as<std::string>{}, "keys", "same-keys");
  const int count = scaled(100'000, 1'000'000);
  TestLoop loop;
  Invariants invariants(loop, 1024 * mebibyte);
  const auto time = time_to_take(loop, {what, std::to_string(count)});
  if (!sanitized) CHECK(time < 2s);
  invariants.check();
}

TEST_CASE("row 16: numbers out of range are errors, found quickly, and the next line arrives",
          "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  auto digits = invariants.watch(loop.fork("bulk", {.args = {"digits", "1000000"}}));
  const Taken of_digits(digits);
  auto child = invariants.watch(loop.fork(
      "raw",
      {.args = {
           "send",
           R"(1e400\n9007199254740991\n9007199254740993\n-0\n-1e999\n{"__proto__":1,"__proto__":2}\n)"}}));
  Log log;
  child.on<"message">([&](const json& message) { log.push_back(message.dump()); });
  child.on<"error">([&](const tine::Error&) { log.emplace_back("error"); });
  loop.run();
  CHECK(of_digits.messages == Log{"end"});
  CHECK(of_digits.errors == 1);
  CHECK(log ==
        Log{"error", "9007199254740991", "9007199254740993", "0", "error", R"({"__proto__":2})"});
  invariants.check();
}
