// Faults of the programs around a channel: what is started, and what it is started from. See ends.cpp
// for the rows.
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

// A directory that goes with all that is in it.
class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "tine-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }

  std::string add(const std::string& name, const std::string& content, bool executable) const {
    const auto file = path_ / name;
    std::ofstream(file) << content;
    std::filesystem::permissions(file, std::filesystem::perms(executable ? 0755 : 0644));
    return file.string();
  }

 private:
  std::filesystem::path path_;
};

// What a signal does, until this goes.
class Action {
 public:
  Action(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction action {};  // without SA_RESTART
    action.sa_handler = handler;
    sigaction(signal, &action, &before_);
  }
  Action(const Action&) = delete;
  Action& operator=(const Action&) = delete;
  ~Action() { sigaction(signal_, &before_, nullptr); }

 private:
  int signal_;
  struct sigaction before_ {};
};

// A SIGALRM and a SIGCHLD each millisecond. The one has a handler that makes system calls fail
// with EINTR; that of the other is libuv's.
class Storm {
 public:
  Storm() : alarm_(SIGALRM, [](int) { raise(SIGCHLD); }) { every({0, 1000}); }
  ~Storm() { every({0, 0}); }

 private:
  static void every(timeval time) {
    const itimerval timer{time, time};
    setitimer(ITIMER_REAL, &timer, nullptr);
  }

  Action alarm_;
};

// A child that answers, and is sent a number for each that came, until `count` have come in order.
struct Exchange {
  Exchange(tine::ChildProcess echo, int count) : child(std::move(echo)), wanted(count) {
    child.on<"message">([this](int number) {
      in_order += number == in_order;
      if (in_order == wanted) return child.disconnect();
      child.send(in_order);
    });
    child.send(0);
  }
  tine::ChildProcess child;
  int wanted;
  int in_order = 0;
};

}  // namespace

TEST_CASE("fault 28: a program that cannot be started is one error and no exit", "[faults]") {
  const Directory files;
  struct Failing {
    std::string module;
    tine::ForkOptions options;
    std::errc error;
  };
  const std::string text = files.add("text", "exit 0\n", false);
  const std::vector<Failing> all{
      {"/nonexistent/program", {}, std::errc::no_such_file_or_directory},
      {"unused", {.exec_path = "no-such-program"}, std::errc::no_such_file_or_directory},
      {files.add("script", "#!/nonexistent/interpreter\n", true),
       {},
       std::errc::no_such_file_or_directory},
      {text, {}, std::errc::permission_denied},
      {"/", {}, std::errc::permission_denied},
      {text + "/program", {}, std::errc::not_a_directory},
      {"/" + std::string(5000, 'x'), {}, std::errc::filename_too_long},
      {test_program("raw").string(),
       {.args = {std::string(1 << 20, 'x')}},
       std::errc::argument_list_too_long},
      {test_program("raw").string(),
       {.env = {{"LARGE", std::string(1 << 20, 'x')}}},
       std::errc::argument_list_too_long},
      {test_program("raw").string(), {.cwd = "/nonexistent"}, std::errc::no_such_file_or_directory},
      {test_program("raw").string(), {.cwd = text}, std::errc::not_a_directory},
  };
  TestLoop loop;
  Invariants invariants(loop);
  for (const Failing& failing : all) {
    INFO(failing.module.substr(0, 100));
    Log log;
    auto child = tine::fork(loop, failing.module, failing.options);
    child.on<"error">([&](const tine::Error& error) {
      INFO(error.code().message());
      CHECK(error.code() == failing.error);
      log.emplace_back("error");
    });
    child.on<"spawn">([&] { log.emplace_back("spawn"); });
    child.on<"disconnect">([&] { log.emplace_back("disconnect"); });
    child.on<"exit">([&] { log.emplace_back("exit"); });
    child.on<"close">([&] { log.emplace_back("close"); });
    child.send(1, invariants.sent());
    loop.run();
    CHECK(log == Log{"error", "close"});
  }
  CHECK(invariants.failures() == static_cast<int>(all.size()));
  invariants.check();
}

// ENOEXEC is where execvp() tries the shell.
TEST_CASE("fault 28: a script that names no interpreter is run by the shell", "[faults]") {
  const Directory files;
  TestLoop loop;
  Invariants invariants(loop);
  auto child = invariants.watch(tine::fork(loop, files.add("script", "exit 7\n", true)));
  loop.run();
  CHECK((child.exit_status() == tine::ExitStatus{.code = 7}));
  invariants.check();
}

TEST_CASE("fault 29: a program that echoes our lines, internal ones too, does no harm",
          "[faults]") {
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  int refused = 0;
  auto child = invariants.watch(loop.fork_script("exec /bin/cat <&3 >&3"));
  child.on<"message">([&](const json& message) {
    log.push_back(message.dump());
    if (message == "last") child.disconnect();
  });
  child.on<"error">([&](const tine::Error& error) {
    CHECK(error.code() == tine::Errc::handle_refused);
    ++refused;
  });
  const std::vector<json> sent{1,
                               {{"cmd", "NODE_HANDLE_ACK"}},
                               {{"cmd", "NODE_HANDLE_NACK"}},
                               {{"cmd", "NODE_CLUSTER"}, {"act", "online"}},
                               {{"cmd", "NODE_HANDLE"}, {"type", "net.Socket"}},
                               {{"cmd", "NODE_"}},
                               std::string(1'000'000, 'x'),
                               "last"};
  for (const auto& message : sent) child.send(message, invariants.sent());
  loop.run();
  CHECK(log == Log{"1", R"({"cmd":"NODE_"})", sent[6].dump(), R"("last")"});
  CHECK(refused == 1);
  CHECK(invariants.successes() == static_cast<int>(sent.size()));
  invariants.check();
}

TEST_CASE("fault 29: a program that never reads costs no more than the limit", "[faults]") {
  constexpr std::size_t limit = 4 * mebibyte;
  TestLoop loop;
  Invariants invariants(loop, 2 * limit + 16 * mebibyte);
  auto child = invariants.watch(loop.fork_script(
      "exec tail -f /dev/null", {.channel = {.send_limit = limit, .flush_timeout = 50ms}}));
  const std::string text(100'000, 'x');
  int refused = 0;
  for (int i = 0; i < 1000; ++i) {
    child.send(text, invariants.sent());
    if (child.channel().queued_bytes() + text.size() > limit) ++refused;
  }
  CHECK(child.channel().queued_bytes() <= limit);
  CHECK(refused > 900);
  child.disconnect();
  child.on<"disconnect">([&] { child.kill(SIGKILL); });
  loop.run();
  CHECK(invariants.successes() < 10);
  invariants.check();
}

TEST_CASE("fault 33: a storm of signals loses nothing and reaps nothing twice", "[faults]") {
  const int count = scaled(300, 3000);
  constexpr int children = 8;
  TestLoop loop;
  Invariants invariants(loop);
  std::vector<std::unique_ptr<Exchange>> exchanges;
  std::vector<tine::ChildProcess> killed;
  std::vector<tine::ChildProcess> exited;
  {
    const Storm storm;
    for (int i = 0; i < children; ++i) {
      exchanges.push_back(std::make_unique<Exchange>(invariants.watch(loop.fork("echo")), count));
      killed.push_back(invariants.watch(loop.fork("echo")));
      CHECK(killed.back().kill(SIGTERM));
      exited.push_back(invariants.watch(loop.fork("raw", {.args = {"exit", std::to_string(i)}})));
    }
    loop.run();
  }
  for (int i = 0; i < children; ++i) {
    const auto index = static_cast<std::size_t>(i);
    CHECK(exchanges[index]->in_order == count);
    CHECK((killed[index].exit_status() == tine::ExitStatus{.signal = SIGTERM}));
    CHECK((exited[index].exit_status() == tine::ExitStatus{.code = i}));
  }
  invariants.check();
}

TEST_CASE(
    "fault 34: a host that waits for all children, or ignores SIGCHLD, is told of an end "
    "whose status is unknown",
    "[faults]") {
  const bool ignores = GENERATE(false, true);
  void (*const reap_all)(int) = [](int) {
    const int before = errno;
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    errno = before;
  };
  TestLoop loop;
  Invariants invariants(loop);
  std::vector<tine::ChildProcess> all;
  Log log;
  for (int i = 0; i < 3; ++i) {
    auto child = invariants.watch(
        loop.fork("raw", {.args = {"expect", "1\\n", "send", "2\\n", "exit", "3"}}));
    child.on<"message">([&](const json& message) { log.push_back(message.dump()); });
    all.push_back(child);
  }
  {
    // In the place of libuv's, which was set when the first child was started.
    const Action action(SIGCHLD, ignores ? SIG_IGN : reap_all);
    for (auto& child : all) child.send(1, invariants.sent());
    loop.run();
  }
  std::signal(SIGCHLD, SIG_DFL);
  CHECK(log == Log{"2", "2", "2"});
  for (auto& child : all) {
    CHECK((child.exit_status() == tine::ExitStatus{}));
    CHECK_FALSE(child.kill());
  }
  invariants.check();
}

TEST_CASE("fault 41: what two threads post is sent, each thread's in its order", "[faults]") {
  constexpr int threads = 2;
  const int count = scaled(1000, 100'000);
  TestLoop loop;
  Invariants invariants(loop);
  std::array<int, threads> in_order{};
  auto child = invariants.watch(loop.fork("echo"));
  child.on<"message">([&](const std::array<int, 2>& message) {
    int& next = in_order.at(static_cast<std::size_t>(message[0]));
    next += message[1] == next;
    if (in_order[0] + in_order[1] == threads * count) child.disconnect();
  });
  std::vector<std::thread> senders;
  for (int thread = 0; thread < threads; ++thread) {
    senders.emplace_back([&, thread] {
      for (int i = 0; i < count; ++i) {
        loop->post([&, thread, i] { child.send({thread, i}); });
      }
    });
  }
  loop.run();
  for (auto& sender : senders) sender.join();
  CHECK(in_order == std::array<int, threads>{count, count});
  invariants.check();
}

TEST_CASE("fault 42: a parent that was stopped does not take that for its child's silence",
          "[faults]") {
  constexpr auto patience = 400ms;
  const auto stopped_for = std::chrono::milliseconds(scaled(600, 30'000));
  TestLoop loop;
  Invariants invariants(loop);
  auto courier =
      invariants.watch(loop.fork("courier", {.args = {std::to_string(patience.count())}}));
  bool draining = false;
  courier.on<"message">([&] {
    draining = true;
    courier.kill(SIGSTOP);
    loop->after(stopped_for, [&] { courier.kill(SIGCONT); });
  });
  loop.run();
  CHECK(draining);
  CHECK((courier.exit_status() == tine::ExitStatus{.code = 0}));
  invariants.check();
}

TEST_CASE("fault 43: with more busy programs than cores, messages come late and in order",
          "[faults]") {
  const int count = scaled(300, 3000);
  const unsigned busy = 2 * std::thread::hardware_concurrency();
  TestLoop loop;
  Invariants invariants(loop);
  std::vector<tine::ChildProcess> neighbours;
  for (unsigned i = 0; i < busy; ++i) {
    neighbours.push_back(invariants.watch(loop.fork_script("exec 3>&-; while :; do :; done")));
  }
  std::vector<std::unique_ptr<Exchange>> exchanges;
  std::size_t ended = 0;
  for (int i = 0; i < 4; ++i) {
    exchanges.push_back(std::make_unique<Exchange>(invariants.watch(loop.fork("echo")), count));
    exchanges.back()->child.on<"close">([&] {
      if (++ended < exchanges.size()) return;
      for (auto& neighbour : neighbours) neighbour.kill(SIGKILL);
    });
  }
  loop.run();
  for (const auto& exchange : exchanges) CHECK(exchange->in_order == count);
  invariants.check();
}
