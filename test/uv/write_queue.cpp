// Compares the queue of unwritten bytes with a model: which bytes are written when, and which
// callback gets which result.
#include "uv/write_queue.hpp"

#include <algorithm>
#include <cerrno>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "support/catch.hpp"

using tine::uv::WriteQueue;

namespace {

constexpr std::size_t most_kept = 4096;

std::error_code error(int number) { return {number, std::generic_category()}; }

// A queue and its model.
class Checked {
 public:
  void add(const std::string& bytes, bool with_callback) {
    tine::SendCallback callback;
    if (with_callback) {
      const std::size_t index = called_.size();
      called_.emplace_back();
      expected_.push_back({accepted_ + bytes.size(), {}});
      callback = [this, index](std::error_code why) { called_[index].push_back(why); };
    }
    queue_.add(bytes, callback);
    accepted_ += bytes.size();
    to_write_ += bytes;
    check();
  }

  void write(std::size_t most) {
    const std::string_view front = queue_.front();
    REQUIRE(front.size() <= to_write_.size());
    REQUIRE(front == std::string_view(to_write_).substr(0, front.size()));
    REQUIRE((front.empty() == to_write_.empty()));
    const std::size_t n = std::min(most, front.size());
    queue_.written(n);
    written_ += n;
    to_write_.erase(0, n);
    check();
  }

  void call_all() {
    while (queue_.due() > 0) queue_.call_first_due();
    check_calls();
  }

  void cancel() {
    CHECK(queue_.lacks_callback() == (last_without_callback_ > written_));
    const auto cancelled = queue_.cancel(error(ECANCELED));
    CHECK(cancelled.without_callback == 0);
    CHECK(queue_.queued() == 0);
    CHECK(queue_.front().empty());
    while (queue_.due() > 0) queue_.call_first_due();
    for (std::size_t i = 0; i < called_.size(); ++i) {
      const bool was_written = expected_[i].end <= written_;
      REQUIRE(called_[i] == std::vector{was_written ? std::error_code() : error(ECANCELED)});
    }
  }

  void note_without_callback() { last_without_callback_ = accepted_; }

 private:
  struct Expected {
    std::size_t end;
    std::error_code failed;
  };

  void check() {
    CHECK(queue_.queued() == to_write_.size());
    CHECK(queue_.end() == accepted_);
    CHECK(queue_.count() == written_);
    const auto [writing, written, filling] = queue_.buffers();
    CHECK(std::string(writing.substr(written)).append(filling) == to_write_);
  }

  void check_calls() {
    for (std::size_t i = 0; i < called_.size(); ++i) {
      const std::size_t calls = expected_[i].end <= written_ ? 1 : 0;
      REQUIRE(called_[i] == std::vector<std::error_code>(calls));
    }
  }

  WriteQueue queue_{most_kept};
  std::string to_write_;
  std::size_t accepted_ = 0;
  std::size_t written_ = 0;
  std::size_t last_without_callback_ = 0;
  std::vector<Expected> expected_;  // one for each callback
  std::vector<std::vector<std::error_code>> called_;
};

}  // namespace

TEST_CASE("write queue: it does what a model does", "[uv]") {
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    Checked queue;
    for (int step = 0; step < 60; ++step) {
      const std::size_t size = random() % 5 == 0 ? 0 : random() % (random() % 4 == 0 ? 20000 : 50);
      switch (random() % 4) {
        case 0: queue.add(std::string(size, static_cast<char>('a' + step % 26)), true); break;
        case 1: {
          queue.add(std::string(size, static_cast<char>('A' + step % 26)), false);
          if (size > 0) queue.note_without_callback();
          break;
        }
        case 2: queue.write(size); break;
        default: queue.call_all();
      }
    }
    queue.cancel();
  }
}

TEST_CASE("write queue: bytes that are written elsewhere count in the order of their records",
          "[uv]") {
  WriteQueue queue(most_kept);
  std::string log;
  const auto record = [&](char name) -> tine::SendCallback {
    return [&log, name](std::error_code why) { log += why ? static_cast<char>(name - 32) : name; };
  };
  tine::SendCallback first = record('a');
  queue.add("12", first);
  queue.reserve(3);
  tine::SendCallback second = record('b');
  queue.add_record(queue.end(), second);
  tine::SendCallback third = record('c');
  queue.add("3", third);
  CHECK(queue.queued() == 6);

  CHECK(queue.fail(5, error(EPIPE)));
  CHECK_FALSE(queue.fail(4, error(EPIPE)));
  queue.written(2);
  CHECK(queue.due() == 1);
  queue.written_elsewhere(3);
  CHECK(queue.due() == 2);
  CHECK(queue.front() == "3");
  queue.written(1);
  CHECK(queue.due() == 3);
  while (queue.due() > 0) queue.call_first_due();
  CHECK(log == "aBc");
  CHECK(queue.queued() == 0);
}

TEST_CASE("write queue: a dropped callback is not called", "[uv]") {
  WriteQueue queue(most_kept);
  tine::SendCallback callback = [](std::error_code) { FAIL("it was called"); };
  queue.add("12", callback);
  queue.drop_callbacks();
  queue.written(queue.front().size());
  CHECK(queue.due() == 0);
}

TEST_CASE("write queue: a callback counts as called even if it throws", "[uv]") {
  WriteQueue queue(most_kept);
  int calls = 0;
  tine::SendCallback throws = [&](std::error_code) {
    ++calls;
    throw 1;
  };
  queue.add("", throws);
  REQUIRE(queue.due() == 1);
  CHECK_THROWS_AS(queue.call_first_due(), int);
  CHECK(queue.due() == 0);
  CHECK(calls == 1);
}
