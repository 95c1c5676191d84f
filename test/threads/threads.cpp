// Threads: each of several threads has a loop, and any thread may post().
#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;

namespace {

constexpr int thread_count = 4;

// Runs a function in several threads at the same time and waits for them. Rethrows an exception
// that one of them has thrown, because Catch2's own checks work in one thread only.
void in_threads(const std::function<void(int thread)>& function) {
  std::vector<std::exception_ptr> thrown(thread_count);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < thread_count; ++thread) {
    threads.emplace_back([&, thread] {
      try {
        function(thread);
      } catch (...) {
        thrown[static_cast<std::size_t>(thread)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& each : thrown) {
    if (each) std::rethrow_exception(each);
  }
}

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

// Does what TestLoop::run() does, in any thread.
void run(tine::Loop& loop) {
  bool late = false;
  auto timer = loop.after(deadline, [&] {
    late = true;
    loop.stop();
  });
  timer.unref();
  loop.run();
  timer.cancel();
  require(!late, "a loop runs beyond the deadline");
}

// Counts the functions that several threads post, and checks their order for each thread. Belongs
// to the loop's thread.
class Tally {
 public:
  void take(int thread, int number) {
    int& next = next_[static_cast<std::size_t>(thread)];
    in_order_ = in_order_ && number == next;
    ++next;
    ++total_;
  }
  int total() const { return total_; }
  bool in_order() const { return in_order_; }

 private:
  std::vector<int> next_ = std::vector<int>(thread_count);
  int total_ = 0;
  bool in_order_ = true;
};

// Returns whether a child has ended and been waited for.
bool is_gone(int pid) { return kill(pid, 0) < 0; }

void await_gone(const std::vector<int>& pids) {
  const auto give_up = std::chrono::steady_clock::now() + deadline;
  for (const int pid : pids) {
    while (!is_gone(pid) && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    CHECK(is_gone(pid));
  }
}

// Children on one loop that exchange messages, are killed, leave and report their descriptors, all
// at the same time. Throws if something goes wrong.
class Family {
 public:
  explicit Family(tine::Loop& loop, nlohmann::json descriptors)
      : loop_(loop), descriptors_(std::move(descriptors)) {}

  void live(int messages) {
    exchange(messages);
    be_killed();
    leave(messages);
    look_at_descriptors();
    run(loop_);
    require(exchanged_ == messages, "messages of an exchange are missing, or not in order");
    require(left_ == messages, "messages of a child that has left are missing");
    require(reported_, "a child has descriptors that are not its own");
    require(ends_ == std::vector<std::string>(children_, "disconnect exit close "),
            "the ends of children are not as they should be");
  }

 private:
  tine::ChildProcess start(const std::string& program, tine::ExitStatus expected,
                           tine::ForkOptions options = {}) {
    auto child = tine::fork(loop_, test_program(program), std::move(options));
    const std::size_t number = children_++;
    ends_.resize(children_);
    child.on<"disconnect">([this, number] { ends_[number] += "disconnect "; });
    child.on<"exit">([this, number, expected](const tine::ExitStatus& status) {
      ends_[number] += status == expected ? "exit " : to_string(status);
    });
    child.on<"close">([this, number] { ends_[number] += "close "; });
    return child;
  }

  void exchange(int messages) {
    auto echo = start("echo", {.code = 0});
    echo.on<"message">([this, echo, messages](int number) {
      if (number == exchanged_) ++exchanged_;
      if (number == messages - 1) echo.disconnect();
    });
    for (int i = 0; i < messages; ++i) echo.send(i);
  }

  void be_killed() {
    auto echo = start("echo", {.signal = SIGKILL});
    echo.on<"message">([echo] { echo.kill(SIGKILL); });
    echo.send("are you there?");
  }

  void leave(int messages) {
    auto flood = start("flood", {.code = 0}, {.args = {std::to_string(messages), "exit"}});
    flood.on<"message">([this](const nlohmann::json& message) {
      if (message["number"] == left_) ++left_;
    });
  }

  void look_at_descriptors() {
    start("report", {.code = 0}).on<"message">([this](const nlohmann::json& report) {
      reported_ = report["descriptors"] == descriptors_;
    });
  }

  tine::Loop& loop_;
  nlohmann::json descriptors_;
  std::size_t children_ = 0;
  std::vector<std::string> ends_;
  int exchanged_ = 0;
  int left_ = 0;
  bool reported_ = false;
};

// Returns the descriptors that are open in a child while no other thread forks.
nlohmann::json descriptors_of_a_child(TestLoop& loop) {
  nlohmann::json descriptors;
  loop.fork("report").on<"message">(
      [&](const nlohmann::json& report) { descriptors = report["descriptors"]; });
  loop.run();
  return descriptors;
}

}  // namespace

TEST_CASE("threads: post() wakes a waiting loop, and keeps the order of each thread", "[threads]") {
  constexpr int posts = 1000;
  TestLoop loop;
  loop->ref();
  Tally tally;
  std::thread posters([&] {
    in_threads([&](int thread) {
      for (int i = 0; i < posts; ++i) {
        loop->post([&, thread, i] {
          tally.take(thread, i);
          if (tally.total() == thread_count * posts) loop->unref();
        });
      }
    });
  });
  loop.run();
  posters.join();
  CHECK(tally.total() == thread_count * posts);
  CHECK(tally.in_order());
}

TEST_CASE("threads: functions that are posted at the end of run() are run by the next run()",
          "[threads]") {
  constexpr int posts = 5000;
  TestLoop loop;
  Tally tally;
  std::atomic<bool> done = false;
  std::thread posters([&] {
    in_threads([&](int thread) {
      for (int i = 0; i < posts; ++i) loop->post([&, thread, i] { tally.take(thread, i); });
    });
    done = true;
  });
  while (!done) loop.run();  // returns at once, because nothing keeps the loop running
  posters.join();
  loop.run();
  CHECK(tally.total() == thread_count * posts);
  CHECK(tally.in_order());
}

TEST_CASE("threads: posted functions that nobody runs are dropped with the loop", "[threads]") {
  constexpr int posts = 1000;
  const auto captured = std::make_shared<int>();
  for (int i = 0; i < scaled(20, 200); ++i) {
    TestLoop loop;
    std::thread posters([&] {
      in_threads([&](int) {
        for (int post = 0; post < posts; ++post) loop->post([captured] { ++*captured; });
      });
    });
    loop.run();
    posters.join();
    loop.destroy();
  }
  CHECK(captured.use_count() == 1);
}

TEST_CASE("threads: loops post to each other, and each runs its own functions", "[threads]") {
  constexpr int rounds = 1000;
  TestLoop first;
  first->ref();
  std::atomic<tine::Loop*> second = nullptr;
  int here = 0;
  int there = 0;
  std::thread thread([&] {
    tine::Loop loop;
    loop.ref();
    second = &loop;
    second.notify_one();
    run(loop);
  });
  second.wait(nullptr);
  std::function<void()> ping = [&] {
    ++here;
    second.load()->post([&] {
      ++there;
      if (there == rounds) second.load()->unref();
      first->post([&] { here < rounds ? ping() : first->unref(); });
    });
  };
  first->post(ping);
  first.run();
  thread.join();
  CHECK(here == rounds);
  CHECK(there == rounds);
}

TEST_CASE("threads: run() throws what a function posted to its loop throws", "[threads]") {
  std::atomic<int> caught = 0;
  in_threads([&](int thread) {
    tine::Loop loop;
    loop.ref();
    std::thread poster([&] {
      loop.post([thread] { throw std::runtime_error(std::to_string(thread)); });
      loop.post([&] { loop.unref(); });
    });
    try {
      run(loop);
    } catch (const std::runtime_error& error) {
      caught += error.what() == std::to_string(thread);
    }
    poster.join();
    loop.run();
  });
  CHECK(caught == thread_count);
}

TEST_CASE("threads: each thread has a loop with children, and none knows of the others",
          "[threads]") {
  TestLoop loop;  // checks descriptors and children
  const nlohmann::json descriptors = descriptors_of_a_child(loop);
  in_threads([&](int) {
    tine::Loop own;
    for (int i = 0; i < scaled(3, 30); ++i) Family(own, descriptors).live(1000);
  });
}

TEST_CASE("threads: loops come and go while others have work", "[threads]") {
  TestLoop loop;
  const nlohmann::json descriptors = descriptors_of_a_child(loop);
  std::atomic<int> busy = thread_count - 1;
  std::atomic<int> came = 0;
  in_threads([&](int thread) {
    if (thread > 0) {
      struct Done {
        std::atomic<int>& busy;
        ~Done() { --busy; }
      } done{busy};
      for (int i = 0; i < scaled(5, 50); ++i) {
        tine::Loop own;
        Family(own, descriptors).live(100);
      }
      return;
    }
    while (busy > 0) {
      tine::Loop brief;
      brief.after(1ms, [] {});
      brief.post([&] { ++came; });
      run(brief);
    }
  });
  CHECK(came > 0);
}

TEST_CASE("threads: ~Loop in several threads leaves children running, and no zombie", "[threads]") {
  TestLoop loop;
  std::vector<std::vector<int>> pids(thread_count);
  in_threads([&](int thread) {
    for (int i = 0; i < scaled(5, 50); ++i) {
      tine::Loop brief;
      int ready = 0;
      for (const bool killed : {true, false}) {
        auto child = tine::fork(brief, test_program("echo"), {.kill_with_loop = killed});
        pids[static_cast<std::size_t>(thread)].push_back(child.pid().value());
        child.on<"message">([&] {
          if (++ready == 2) brief.stop();
        });
        child.send("are you there?");
      }
      run(brief);
    }
  });
  for (const auto& of_a_thread : pids) await_gone(of_a_thread);
}
