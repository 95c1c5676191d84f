// The child's descriptors, and the streams to them.
#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/no_descriptors.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using tine::Stdio;
using Log = std::vector<std::string>;

namespace {

// Appends everything that a stream delivers to `all`.
void collect(tine::Stream stream, std::string& all) {
  stream.on<"data">([&all](std::string_view bytes) { all += bytes; });
}

// While this object lives, only `more` further descriptors can be opened.
class FewDescriptors {
 public:
  explicit FewDescriptors(int more) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit limit{limit_with_free(more), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("stdio: silent pipes stdin, stdout and stderr", "[process]") {
  TestLoop loop;
  Log log;
  std::string out;
  std::string err;
  auto child = loop.fork_script("cat; echo problem >&2; exit 4", {.silent = true});
  collect(child.out(), out);
  collect(child.err(), err);
  child.in().write("first ");
  child.in().end("last");
  child.in().on<"close">([&] { log.emplace_back("in"); });
  child.out().on<"end">([&] { log.emplace_back("out end"); });
  child.on<"exit">([&] { log.emplace_back("exit"); });
  child.on<"close">([&] {
    log.emplace_back("close");
    CHECK(out == "first last");
    CHECK(err == "problem\n");
  });
  CHECK_FALSE(child.in().readable());
  CHECK_FALSE(child.out().writable());
  loop.run();
  CHECK(child.exit_code() == 4);
  REQUIRE(log.size() == 4);
  CHECK(log.back() == "close");
  CHECK_FALSE(child.out().readable());
}

TEST_CASE("stdio: a slot that is not piped is an empty handle", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("exit 0");
  for (std::size_t slot = 0; slot < 5; ++slot) CHECK_FALSE(child.stdio(slot));
  loop.run();
}

TEST_CASE("stdio: a megabyte goes through a child", "[process]") {
  TestLoop loop;
  const std::string megabyte(1 << 20, 'x');
  std::string out;
  auto child = loop.fork_script("exec cat", {.silent = true});
  collect(child.out(), out);
  child.in().end(megabyte);
  loop.run();
  CHECK(out == megabyte);
}

TEST_CASE("stdio: the channel may be at any slot", "[process]") {
  const std::size_t slot = GENERATE(0U, 1U, 2U, 3U, 6U);
  TestLoop loop;
  std::vector<Stdio> stdio(7, Stdio::ignore());
  stdio[slot] = Stdio::ipc();
  auto child = loop.fork("echo", {.stdio = stdio});
  json answer;
  child.on<"message">([&](json message) {
    answer = std::move(message);
    child.disconnect();
  });
  child.send("there?");
  loop.run();
  CHECK(answer == "there?");
  CHECK(child.exit_code() == 0);
}

TEST_CASE("stdio: missing slots among the first three are pipes", "[process]") {
  TestLoop loop;
  std::string out;
  auto child = loop.fork_script("echo out; echo '1' >&0", {.stdio = {Stdio::ipc()}});
  collect(child.out(), out);
  child.on<"message">([](int) {});
  loop.run();
  CHECK(out == "out\n");
  CHECK_FALSE(child.in());
  CHECK(child.err());
}

TEST_CASE("stdio: an extra pipe goes both ways", "[process]") {
  TestLoop loop;
  std::string back;
  auto child = loop.fork_script("read -r line <&4; echo \"got $line\" >&4",
                                {.stdio = {Stdio::inherit(), Stdio::inherit(), Stdio::inherit(),
                                           Stdio::ipc(), Stdio::pipe()}});
  collect(child.stdio(4), back);
  child.stdio(4).write("this\n");
  loop.run();
  CHECK(back == "got this\n");
}

TEST_CASE("stdio: a descriptor stays the caller's, and ignored slots are the null device",
          "[process]") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const tine::base::Descriptor read_end(ends[0]);
  {
    const tine::base::Descriptor write_end(ends[1]);
    TestLoop loop;
    auto child = loop.fork_script(
        "readlink /proc/$$/fd/0; readlink /proc/$$/fd/2",
        {.stdio = {Stdio::ignore(), Stdio::descriptor(ends[1]), Stdio::ignore(), Stdio::ipc()}});
    loop.run();
    CHECK(child.exit_code() == 0);
    CHECK(fcntl(ends[1], F_GETFD) == FD_CLOEXEC);
  }
  char text[100];
  const ssize_t size = read(read_end.get(), text, sizeof(text));
  CHECK(std::string(text, static_cast<std::size_t>(size)) == "/dev/null\n/dev/null\n");
}

TEST_CASE("stdio: output to a descriptor that is non-blocking here is not lost", "[process]") {
  TestLoop loop;
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  REQUIRE(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
  const tine::base::Descriptor reading(ends[0]);
  std::optional<tine::base::Descriptor> writing(std::in_place, ends[1]);
  auto child = loop.fork_script("head -c 300000 /dev/zero",
                                {.stdio = {Stdio::ignore(), Stdio::descriptor(writing->get()),
                                           Stdio::inherit(), Stdio::ipc()}});
  writing.reset();
  std::size_t came = 0;
  std::thread reader([&] {
    const int room = fcntl(ends[0], F_GETPIPE_SZ);
    for (int full = 0; full < room;) ioctl(ends[0], FIONREAD, &full);
    char piece[4096];
    for (ssize_t n = 1; n > 0;)
      came += static_cast<std::size_t>(n = read(ends[0], piece, sizeof piece));
  });
  loop.run();
  reader.join();
  CHECK(child.exit_code() == 0);
  CHECK(came == 300'000);
}

TEST_CASE("stdio: a connection can be a child's output, and its server closes", "[process]") {
  TestLoop loop;
  std::string output;
  tine::Server server(loop);
  ExpectCalls closed(1);
  server.on<"connection">([&](tine::Socket socket) {
    const tine::base::Descriptor connection(socket.release());
    const Stdio out = Stdio::descriptor(connection.get());
    loop.fork_script("echo Hello",
                     {.stdio = {Stdio::ignore(), out, Stdio::ignore(), Stdio::ipc()}});
    server.close([&] { closed(); });
  });
  server.listen({.host = "127.0.0.1"});
  tine::Socket client(loop);
  client.on<"data">([&](std::string_view bytes) { output += bytes; });
  client.connect({.host = "127.0.0.1", .port = server.address()->port});
  loop.run();
  CHECK(output == "Hello\n");
}

TEST_CASE("stdio: output that nobody reads does not prevent close", "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork_script("head -c 300000 /dev/zero", {.silent = true});
  child.on<"message">([] {});
  child.on<"spawn">([&] { child.err().on<"end">([&] { log.emplace_back("err end"); }); });
  // The child cannot exit before its write is done, because the write blocks, as in Node.
  loop->after(20ms, [&] {
    CHECK_FALSE(child.exit_status());
    child.out().resume();
  });
  child.on<"close">([&] { log.emplace_back("close"); });
  loop.run();
  CHECK(log == Log{"err end", "close"});
}

TEST_CASE("stdio: paused output is kept, and close waits for it", "[process]") {
  TestLoop loop;
  Log log;
  std::string out;
  auto child = loop.fork_script("echo kept", {.silent = true});
  child.out().pause();
  child.on<"exit">([&] {
    log.emplace_back("exit");
    loop->after(10ms, [&] {
      log.emplace_back("resume");
      collect(child.out(), out);
      child.out().resume();
    });
  });
  child.on<"close">([&] { log.emplace_back("close"); });
  loop.run();
  CHECK(log == Log{"exit", "resume", "close"});
  CHECK(out == "kept\n");
}

TEST_CASE("stdio: a grandchild that holds the output delays close, but not exit", "[process]") {
  TestLoop loop;
  Log log;
  int grandchild = 0;
  auto child = loop.fork_script("tail -f /dev/null 3>&- & echo $! >&3", {.silent = true});
  child.on<"message">([&](int pid) { grandchild = pid; });
  child.on<"exit">([&] {
    log.emplace_back("exit");
    CHECK(kill(grandchild, SIGKILL) == 0);
  });
  child.on<"close">([&] { log.emplace_back("close"); });
  loop.run();
  CHECK(log == Log{"exit", "close"});
}

TEST_CASE("stdio: a listener that is added at exit gets all output", "[process]") {
  TestLoop loop;
  std::string out;
  auto child = loop.fork_script("echo late", {.silent = true});
  child.on<"exit">([&] { collect(child.out(), out); });
  loop.run();
  CHECK(out == "late\n");
}

TEST_CASE("stdio: an exception at exit does not prevent close", "[process]") {
  TestLoop loop;
  ExpectCalls closed(1);
  auto child = loop.fork_script("echo out", {.silent = true});
  child.on<"exit">([] { throw std::runtime_error("exit"); });
  child.on<"close">([&] { closed(); });
  CHECK_THROWS_WITH(loop.run(), "exit");
  loop.run();
}

TEST_CASE("stdio: a write to a child that has closed its stdin is an error of the stream",
          "[process]") {
  TestLoop loop;
  ExpectCalls failed(1);
  auto child = loop.fork_script("exec <&-; echo 1 >&3; read -r _ <&3", {.silent = true});
  child.on<"message">([&] {
    child.in().write("nobody reads", [&](std::error_code error) {
      CHECK(error == std::errc::broken_pipe);
      failed();
      child.disconnect();
    });
  });
  loop.run();
}

TEST_CASE("stdio: if the child cannot be started, its streams close before it", "[process]") {
  TestLoop loop;
  Log log;
  const bool refused = GENERATE(false, true);
  auto child =
      tine::fork(loop, "/nonexistent", {.silent = true, .kill_signal = refused ? 0 : SIGTERM});
  child.on<"error">([&](const tine::Error&) { log.emplace_back("error"); });
  child.on<"close">([&] { log.emplace_back("close"); });
  child.in().on<"close">([&] { log.emplace_back("in close"); });
  child.out().on<"close">([&] { log.emplace_back("out close"); });
  child.in().write("lost");
  CHECK_FALSE(child.in().writable());
  loop.run();
  CHECK(log == Log{"error", "in close", "out close", "close"});
}

TEST_CASE("stdio: ~Loop closes the streams", "[process]") {
  TestLoop loop;
  auto child = loop.fork("echo", {.silent = true, .kill_with_loop = true});
  auto out = child.out();
  out.on<"close">([] { CHECK(false); });
  const int pid = child.pid().value();
  loop.destroy();
  CHECK_FALSE(out.readable());
  while (::kill(pid, 0) == 0) {
  }
}

TEST_CASE("row 26: with few free descriptors, fork with pipes works or is an error", "[rows]") {
  const int free_descriptors = GENERATE(range(0, 16));
  TestLoop loop;
  Log log;
  std::optional<FewDescriptors> few(std::in_place, free_descriptors);
  auto child = loop.fork_script("exit 0", {.silent = true});
  if (sanitized) few.reset();  // UBSan needs a pipe to check whether memory is readable
  child.on<"error">([&](const tine::Error&) { log.emplace_back("error"); });
  child.on<"exit">([&] { log.emplace_back("exit"); });
  child.on<"close">([&] { log.emplace_back("close"); });
  loop.run();
  few.reset();
  CHECK((log == Log{"error", "close"} || log == Log{"exit", "close"}));
  if (free_descriptors == 0) CHECK(log.front() == "error");
  if (free_descriptors == 15) CHECK(log.front() == "exit");
  auto next = loop.fork_script("exit 0", {.silent = true});
  loop.run();
  CHECK(next.exit_code() == 0);
}
