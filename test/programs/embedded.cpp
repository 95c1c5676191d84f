// A larger program that uses a loop among other things, in the way that its first argument names.
// The exit code is 0 if everything is as test/process/embedding.cpp, or test/cluster/workers.cpp,
// expects.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tine/tine.hpp>

using namespace std::chrono_literals;

namespace {

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::_Exit(1);
}

void require(bool condition, const char* what) {
  if (!condition) fail(what);
}

tine::ChildProcess fork_echo(tine::Loop& loop) {
  return tine::fork(loop, tine::executable_dir() / "echo", {.kill_with_loop = true});
}

// Sends a message to a child. The child must answer, and end by itself after disconnect().
void converse(tine::Loop& loop, tine::ChildProcess child) {
  bool answered = false;
  bool exited = false;
  child.on<"message">([&, child](const nlohmann::json& message) {
    if (message != "are you there?") return;
    answered = true;
    child.disconnect();
  });
  child.on<"exit">([&](tine::ExitStatus status) { exited = status.code == 0; });
  child.send("are you there?");
  loop.run();
  require(answered && exited, "the child did not answer and end by itself");
}

// Runs a function in a fork() of this process. The copy must end with exit code 0, which it does if
// the function returns.
void in_copy(const std::function<void()>& function) {
  const pid_t copy = ::fork();
  require(copy >= 0, "no fork");
  if (copy == 0) {
    function();
    std::_Exit(0);
  }
  int status = -1;
  require(waitpid(copy, &status, 0) == copy && status == 0, "the copy failed");
}

// Prepares for an expected abort, so that it leaves no core file and no report of a sanitizer.
void expect_abort() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  std::signal(SIGABRT, SIG_DFL);
}

void destroy_in_callback() {
  expect_abort();
  auto loop = std::make_unique<tine::Loop>();
  loop->post([&] { loop.reset(); });
  loop->run();
}

// Calls `use` in another thread while the loop runs.
void use_in_another_thread(const std::function<void(tine::Loop&, tine::ChildProcess)>& use) {
  expect_abort();
  tine::Loop loop;
  tine::ChildProcess child = fork_echo(loop);
  std::thread other;
  child.on<"message">([&] {
    other = std::thread([&] { use(loop, child); });
    other.join();
  });
  child.send("hello");
  loop.run();
}

// Adds a listener to a worker in another thread. The worker is one of this program, or it is this
// program.
void listen_to_worker_in_another_thread() {
  expect_abort();
  tine::Loop loop;
  tine::Process process(loop);
  tine::Cluster cluster(loop, process);
  const bool primary = cluster.is_primary();
  if (primary) cluster.setup_primary({.exec = tine::executable_dir() / "worker"});
  const tine::Worker worker = primary ? cluster.fork() : cluster.worker();
  loop.post([&] { std::thread([&] { worker.on<"disconnect">([] {}); }).join(); });
  loop.run();
}

// The way in which a listener ends its thread.
using ThreadEnd = void (*)(tine::Loop&);

[[noreturn]] void run_until_thread_ends(ThreadEnd end) {
  tine::Loop loop;
  tine::Process process(loop);
  tine::ChildProcess child = fork_echo(loop);
  child.on<"message">([&] { end(loop); });
  child.send("hello");
  loop.run();
  fail("the thread goes on");
}

// Ends a thread while its loop runs. The rest of the program must go on.
void end_thread(ThreadEnd end) {
  std::thread(run_until_thread_ends, end).join();
  tine::Loop loop;
  converse(loop, fork_echo(loop));
}

// Gives the loop of a thread that has ended to another thread, which may post to it and destroy it.
void destroy_loop_of_ended_thread() {
  auto loop = std::make_unique<tine::Loop>();
  const tine::ChildProcess child = fork_echo(*loop);
  std::thread([&] {
    loop->post([] { pthread_exit(nullptr); });
    loop->run();
  }).join();
  loop->post([] { fail("a posted function has run"); });
  try {
    loop->run();
    fail("the loop has run once more");
  } catch (const std::logic_error&) {
  }
  loop.reset();
  require(!child.connected(), "the channel is open");
}

void exit_in_listener() {
  static tine::Loop loop;
  static tine::ChildProcess child = fork_echo(loop);
  child.on<"message">([] { std::exit(0); });
  child.send("hello");
  loop.run();
}

void destroy_in_copy() {
  auto loop = std::make_unique<tine::Loop>();
  const tine::ChildProcess child = fork_echo(*loop);
  // Not in TMPDIR, because its path may be too long for a socket.
  const std::string path = "/tmp/tine-" + std::to_string(getpid());
  tine::Server server(*loop);
  server.listen({.path = path});
  server.unref();
  loop->after(1ms, [&] { loop->stop(); });
  loop->run();
  in_copy([&] { loop.reset(); });
  require(std::filesystem::exists(path), "the copy has removed the server's path");
  converse(*loop, child);
}

void exit_in_copy_in_listener() {
  static tine::Loop loop;
  tine::ChildProcess child = fork_echo(loop);
  child.once<"message">([] { in_copy([] { std::exit(0); }); });
  child.send("hello");
  converse(loop, child);
}

void run_in_copy() {
  tine::Loop loop;
  tine::ChildProcess before = fork_echo(loop);
  in_copy([&] {
    require(!before.kill(SIGKILL), "the copy can kill a child of the original");
    before.unref();
    before.channel().unref();
    converse(loop, fork_echo(loop));
  });
  converse(loop, before);
}

// Ends a fork() of this process while messages to the parent are queued. The parent must get each
// message once.
void end_copy_of_process(const std::function<void(std::unique_ptr<tine::Process>)>& end) {
  tine::Loop loop;
  auto process = std::make_unique<tine::Process>(loop);
  process->send(std::string(4 << 20, 'x'));
  process->send("last");
  in_copy([&] { end(std::move(process)); });
  process->disconnect();
  loop.run();
}

}  // namespace

int main(int, char** argv) {
  const std::map<std::string, std::function<void()>> ways{
      {"destroy in callback", destroy_in_callback},
      {"stop in another thread",
       [] { use_in_another_thread([](tine::Loop& loop, auto) { loop.stop(); }); }},
      {"timer in another thread",
       [] { use_in_another_thread([](tine::Loop& loop, auto) { loop.after(1ms, [] {}); }); }},
      {"run in another thread",
       [] { use_in_another_thread([](tine::Loop& loop, auto) { loop.run(); }); }},
      {"fork in another thread",
       [] { use_in_another_thread([](tine::Loop& loop, auto) { fork_echo(loop); }); }},
      {"send in another thread",
       [] { use_in_another_thread([](auto&, tine::ChildProcess child) { child.send("hello"); }); }},
      {"kill in another thread",
       [] { use_in_another_thread([](auto&, tine::ChildProcess child) { child.kill(SIGTERM); }); }},
      {"listener in another thread",
       [] {
         use_in_another_thread([](auto&, tine::ChildProcess child) { child.on<"message">([] {}); });
       }},
      {"disconnect in another thread",
       [] { use_in_another_thread([](auto&, tine::ChildProcess child) { child.disconnect(); }); }},
      {"server in another thread",
       [] { use_in_another_thread([](tine::Loop& loop, auto) { tine::Server server(loop); }); }},
      {"worker's listener in another thread", listen_to_worker_in_another_thread},
      {"pthread_exit in listener", [] { end_thread([](tine::Loop&) { pthread_exit(nullptr); }); }},
      {"pthread_exit in timer",
       [] {
         end_thread([](tine::Loop& loop) { loop.after(1ms, [] { pthread_exit(nullptr); }); });
       }},
      {"pthread_cancel", [] { end_thread([](tine::Loop&) { pthread_cancel(pthread_self()); }); }},
      {"pthread_exit in loop of another thread", destroy_loop_of_ended_thread},
      {"exit in listener", exit_in_listener},
      {"destroy in copy", destroy_in_copy},
      {"exit in copy in listener", exit_in_copy_in_listener},
      {"run in copy", run_in_copy},
      {"destroy copy of process",
       [] { end_copy_of_process([](auto process) { process.reset(); }); }},
      {"exit of copy of process",
       [] { end_copy_of_process([](auto process) { process->exit(0); }); }},
  };
  ways.at(argv[1])();
}
