// tine in a program that has its own loops, threads and processes.
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string>

#include <sched.h>
#include <sys/wait.h>
#include <uv.h>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;

namespace {

struct Ended {
  tine::ExitStatus status;
  std::string err;
  std::vector<std::string> messages;
};

// Runs test/programs/embedded until it, and every process that inherited its stderr, has ended.
Ended run_embedded(const std::string& way) {
  TestLoop loop;
  Ended ended;
  tine::ForkOptions options{.args = {way}};
  options.stdio = {tine::Stdio::inherit(), tine::Stdio::inherit(), tine::Stdio::pipe(),
                   tine::Stdio::ipc()};
  tine::ChildProcess child = loop.fork("embedded", options);
  child.err().on<"data">([&](std::string_view data) { ended.err += data; });
  child.on<"message">([&](const std::string& message) { ended.messages.push_back(message); });
  child.on<"close">([&](tine::ExitStatus status) { ended.status = status; });
  loop.run();
  return ended;
}

void close_all(uv_loop_t* loop, uv_close_cb closed = nullptr) {
  const auto close = [](uv_handle_t* handle, void* callback) {
    if (!uv_is_closing(handle)) uv_close(handle, reinterpret_cast<uv_close_cb>(callback));
  };
  uv_walk(loop, close, reinterpret_cast<void*>(closed));
}

// Waits until no child is left. Another thread waits for children that were killed with their loop.
void wait_until_no_child_is_left() {
  siginfo_t unused;
  while (waitid(P_ALL, 0, &unused, WEXITED | WNOWAIT) == 0 || errno == EINTR) sched_yield();
}

}  // namespace

TEST_CASE("embedding: run() inside a listener throws, and the loop goes on", "[process]") {
  TestLoop loop;
  tine::ChildProcess child = loop.fork("echo");
  std::string refused;
  child.on<"message">([&] {
    try {
      loop->run();
    } catch (const std::logic_error& error) {
      refused = error.what();
    }
    child.disconnect();
  });
  child.send("hello");
  loop.run();
  CHECK_THAT(refused, StartsWith("Loop::run() is called in one of the loop's own listeners"));
}

TEST_CASE("embedding: a listener may run another loop", "[process]") {
  TestLoop loop;
  int ran = 0;
  loop->post([&] {
    tine::Loop other;
    other.after(1ms, [&] { ++ran; });
    other.run();
  });
  loop.run();
  CHECK(ran == 1);
}

TEST_CASE("embedding: destroying a Loop in its own listener ends the program with a message",
          "[process]") {
  const Ended ended = run_embedded("destroy in callback");
  CHECK(ended.status.signal == SIGABRT);
  CHECK_THAT(ended.err, ContainsSubstring("tine: a Loop is destroyed in one of its own listeners"));
}

TEST_CASE("embedding: using a loop in another thread ends the program with a message",
          "[process]") {
  const std::string use =
      GENERATE("stop", "timer", "run", "fork", "send", "kill", "listener", "disconnect", "server");
  CAPTURE(use);
  const Ended ended = run_embedded(use + " in another thread");
  CHECK(ended.status.signal == SIGABRT);
  CHECK_THAT(ended.err, ContainsSubstring("is used by another thread than the one that runs it"));
}

TEST_CASE("embedding: a thread may end while it runs a loop, and the loop's children notice it",
          "[process]") {
  const std::string way = GENERATE("pthread_exit in listener", "pthread_exit in timer",
                                   "pthread_exit in loop of another thread", "pthread_cancel");
  CAPTURE(way);
  const Ended ended = run_embedded(way);
  CHECK(ended.status.code == 0);
  CHECK(ended.err == "");
}

TEST_CASE("embedding: a listener may call exit() while a Loop is a static object", "[process]") {
  const Ended ended = run_embedded("exit in listener");
  CHECK(ended.status.code == 0);
  CHECK(ended.err == "");
}

TEST_CASE("embedding: a fork() of the process does not disturb the original", "[process]") {
  const std::string way = GENERATE("destroy in copy", "exit in copy in listener", "run in copy");
  CAPTURE(way);
  const Ended ended = run_embedded(way);
  CHECK(ended.status.code == 0);
  CHECK(ended.err == "");
}

TEST_CASE("embedding: a fork() of the process does not write the original's queue", "[process]") {
  const std::string way = GENERATE("destroy copy of process", "exit of copy of process");
  CAPTURE(way);
  const Ended ended = run_embedded(way);
  CHECK(ended.status.code == 0);
  CHECK(ended.err == "");
  REQUIRE(ended.messages.size() == 2);
  CHECK(ended.messages[0].size() == 4 << 20);
  CHECK(ended.messages[1] == "last");
}

TEST_CASE("embedding: the application may close all handles of a borrowed loop", "[process]") {
  const bool comes_round = GENERATE(false, true);
  static int closed;
  closed = 0;
  uv_loop_t native;
  REQUIRE(uv_loop_init(&native) == 0);
  {
    tine::Loop loop(&native);
    tine::ChildProcess child = tine::fork(loop, test_program("echo"), {.kill_with_loop = true});
    tine::Server server(loop);
    server.listen({.host = "127.0.0.1"});
    const tine::Timer timer = loop.after(1h, [] {});
    child.once<"message">([&] { loop.stop(); });
    child.send("hello");
    loop.run();
    close_all(&native, [](uv_handle_t*) { ++closed; });
    if (comes_round) uv_run(&native, UV_RUN_DEFAULT);
    child.send("nobody writes this");
  }
  uv_run(&native, UV_RUN_DEFAULT);
  CHECK(closed > 4);
  CHECK(uv_loop_close(&native) == 0);
  wait_until_no_child_is_left();
}

TEST_CASE("embedding: the application may close all handles of tine's own loop", "[process]") {
  const bool comes_round = GENERATE(false, true);
  {
    tine::Loop loop;
    tine::ChildProcess child = tine::fork(loop, test_program("echo"), {.kill_with_loop = true});
    child.once<"message">([&] { loop.stop(); });
    child.send("hello");
    loop.run();
    close_all(loop.native());
    if (comes_round) uv_run(loop.native(), UV_RUN_DEFAULT);
  }
  wait_until_no_child_is_left();
}
