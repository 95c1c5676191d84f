// Due events are emitted in their order, whatever listeners do.
#include "uv/event_sequence.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

namespace {

enum class Letter { a, b, c, d };
constexpr int letters = 4;

// An object that emits letters. `log` has the emitted letters, with a "." where the first turn
// ends.
class Emitter : public std::enable_shared_from_this<Emitter> {
 public:
  explicit Emitter(TestLoop& loop) : core_(tine::core_of(loop)) {}

  void schedule(Letter letter) {
    due_.schedule(letter, &core_, shared_from_this());
    if (std::exchange(first_, false)) core_.defer(turn_end_, shared_from_this());
  }
  tine::uv::EventSequence<Letter>& due() { return due_; }
  tine::uv::LoopCore& core() { return core_; }

  std::string log;
  std::function<void(Letter)> listener = [](Letter) {};

 private:
  void emit(Letter letter) {
    log += static_cast<char>('a' + static_cast<int>(letter));
    listener(letter);
  }

  tine::uv::LoopCore& core_;
  bool first_ = true;
  tine::uv::EventSequence<Letter> due_{[this](Letter letter) { emit(letter); }};
  tine::uv::Task turn_end_{[this] { log += '.'; }};
};

struct Thrown : std::runtime_error {
  Thrown() : runtime_error("a listener has thrown") {}
};

}  // namespace

TEST_CASE("event sequence: it emits in its own order, once each, and not inside schedule()",
          "[uv]") {
  TestLoop loop;
  const auto emitter = std::make_shared<Emitter>(loop);
  for (const Letter letter : {Letter::d, Letter::b, Letter::a, Letter::b}) {
    emitter->schedule(letter);
  }
  CHECK(emitter->log.empty());
  loop.run();
  CHECK(emitter->log == "abd.");
  CHECK_FALSE(emitter->due().any_due());
}

TEST_CASE("event sequence: due_before() tells whether an earlier event is due", "[uv]") {
  TestLoop loop;
  const auto emitter = std::make_shared<Emitter>(loop);
  emitter->due().set_due(Letter::b);
  CHECK_FALSE(emitter->due().due_before(Letter::a));
  CHECK_FALSE(emitter->due().due_before(Letter::b));
  CHECK(emitter->due().due_before(Letter::c));
  emitter->due().set_due(Letter::b, false);
  CHECK_FALSE(emitter->due().any_due());
  CHECK(emitter->due().ever_due(Letter::b));
  CHECK_FALSE(emitter->due().ever_due(Letter::c));
}

TEST_CASE("event sequence: an event that a listener makes due comes in this turn if it is ahead",
          "[uv]") {
  TestLoop loop;
  const auto emitter = std::make_shared<Emitter>(loop);
  emitter->listener = [&](Letter letter) {
    if (letter != Letter::b || emitter->log.size() > 1) return;
    emitter->schedule(Letter::c);
    emitter->schedule(Letter::b);
    emitter->schedule(Letter::a);
  };
  emitter->schedule(Letter::b);
  emitter->schedule(Letter::d);
  loop.run();
  CHECK(emitter->log == "bcd.ab");
}

TEST_CASE("event sequence: an event that is no longer due is not emitted", "[uv]") {
  TestLoop loop;
  const auto emitter = std::make_shared<Emitter>(loop);
  emitter->listener = [&](Letter) { emitter->due().set_due(Letter::d, false); };
  emitter->schedule(Letter::a);
  emitter->schedule(Letter::d);
  loop.run();
  CHECK(emitter->log == "a.");
}

TEST_CASE("event sequence: after an exception, the next run emits the rest first", "[uv]") {
  TestLoop loop;
  const auto emitter = std::make_shared<Emitter>(loop);
  emitter->listener = [&](Letter letter) {
    if (letter == Letter::b) throw Thrown();
  };
  emitter->schedule(Letter::b);
  emitter->schedule(Letter::c);
  emitter->core().defer([&] { emitter->log += 'P'; });
  CHECK_THROWS_AS(loop.run(), Thrown);
  CHECK(emitter->log == "b");
  loop.run();
  CHECK(emitter->log == "bc.P");
}

TEST_CASE("event sequence: it keeps its owner alive until it has emitted, and no longer", "[uv]") {
  TestLoop loop;
  std::string log;
  auto emitter = std::make_shared<Emitter>(loop);
  const std::weak_ptr<Emitter> weak = emitter;
  emitter->listener = [&](Letter) { log += 'x'; };
  emitter->schedule(Letter::a);
  emitter.reset();
  CHECK_FALSE(weak.expired());
  loop.run();
  CHECK(log == "x");
  CHECK(weak.expired());
}

TEST_CASE("event sequence: the elements of a queue are emitted one by one", "[uv]") {
  TestLoop loop;
  const auto emitter = std::make_shared<Emitter>(loop);
  std::deque<int> queue{1, 2, 3};
  std::vector<int> emitted;
  emitter->listener = [&](Letter letter) {
    if (letter != Letter::a) return;
    emitter->due().emit_each(letter, queue, [&](int element) {
      emitted.push_back(element);
      if (element == 2) throw Thrown();
      if (element == 3) {  // the new element waits for the next turn
        queue.push_back(4);
        emitter->schedule(Letter::a);
      }
    });
  };
  emitter->schedule(Letter::a);
  emitter->schedule(Letter::b);
  CHECK_THROWS_AS(loop.run(), Thrown);
  CHECK(emitted == std::vector{1, 2});
  loop.run();
  CHECK(emitted == std::vector{1, 2, 3, 4});
  CHECK(emitter->log == "aab.a");
}

// The model is a set of due letters. Each turn takes the letters after its position.
TEST_CASE("event sequence: an attempt that throws is made again", "[uv]") {
  TestLoop loop;
  const auto emitter = std::make_shared<Emitter>(loop);
  int attempts = 0;
  emitter->listener = [&](Letter letter) {
    if (letter != Letter::b) return;
    emitter->due().attempt(letter, [&] {
      if (++attempts < 3) throw Thrown();
    });
  };
  for (const Letter letter : {Letter::a, Letter::b, Letter::c}) emitter->schedule(letter);
  CHECK_THROWS_AS(loop->run(), Thrown);
  CHECK_THROWS_AS(loop->run(), Thrown);
  loop.run();
  CHECK(attempts == 3);
  CHECK_FALSE(emitter->due().any_due());
}

TEST_CASE("event sequence: it does what a model does", "[uv]") {
  TestLoop loop;
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    const auto emitter = std::make_shared<Emitter>(loop);
    std::vector<bool> due(letters);
    int position = -1;  // of the letter that is being emitted
    int wrong = 0;
    int left = 30;  // how many letters listeners still make due
    const auto make_due = [&](int letter) {
      due[static_cast<std::size_t>(letter)] = true;
      emitter->schedule(static_cast<Letter>(letter));
    };
    emitter->listener = [&](Letter emitted) {
      const int letter = static_cast<int>(emitted);
      const auto next = [&](int from) {
        while (from < letters && !due[static_cast<std::size_t>(from)]) ++from;
        return from;
      };
      int expected = next(position + 1);
      if (expected == letters) expected = next(0);  // a new turn begins
      wrong += expected != letter;
      position = letter;
      due[static_cast<std::size_t>(letter)] = false;
      if (left-- > 0) make_due(static_cast<int>(random() % letters));
    };
    make_due(static_cast<int>(random() % letters));
    loop.run();
    CHECK(wrong == 0);
    CHECK_FALSE(emitter->due().any_due());
  }
}
