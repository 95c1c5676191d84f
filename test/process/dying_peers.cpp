// Peers that die, and processes that live on. A message that a dead peer does not read is not an
// error by itself.
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/wait.h>

#include "support/catch.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

// Blocks until the child is dead, without reaping it, because the parent must notice the end by
// itself.
void await_death(const tine::ChildProcess& child) {
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(child.pid().value()), &info, WEXITED | WNOWAIT) < 0) {
    REQUIRE(errno == EINTR);
  }
}

void log_end(tine::ChildProcess& child, Log& log) {
  child.on<"disconnect">([&log] { log.emplace_back("disconnect"); });
  child.on<"exit">([&log](tine::ExitStatus status) { log.push_back(to_string(status)); });
}

}  // namespace

TEST_CASE("dying peer: answers that were sent before a crash arrive", "[process]") {
  TestLoop loop;
  Log log;
  auto child = loop.fork("answer", {.args = {"6"}});
  child.on<"message">([&](const json& message) { log.push_back(message.dump()); });
  log_end(child, log);
  for (int i = 1; i <= 6; ++i) child.send(i);  // all are in the socket before its first read
  loop.run();
  CHECK(log == Log{"1", "2", "3", "4", "5", "disconnect", "signal 6 (Aborted)"});
}

TEST_CASE("dying peer: a parent that sends to a dead child goes on", "[process]") {
  const bool with_callback = GENERATE(false, true);
  TestLoop loop;
  Log log;
  auto child = loop.fork_script("printf '1\\n2\\n3\\n' >&3; kill -9 $$");
  child.on<"message">([&](const json& message) {
    await_death(child);
    log.push_back(message.dump());
    if (!with_callback) return static_cast<void>(child.send("answer"));
    child.send("answer", [&log](std::error_code error) {
      log.emplace_back(error == std::errc::broken_pipe || error == tine::Errc::channel_closed
                           ? "lost"
                           : error.message());
    });
  });
  log_end(child, log);
  loop.run();
  CHECK(std::count(log.begin(), log.end(), "lost") == (with_callback ? 3 : 0));
  std::erase(log, "lost");
  CHECK(log == Log{"1", "2", "3", "disconnect", "signal 9 (Killed)"});
  CHECK(child.channel().lost_messages() == 3);
}

TEST_CASE("dying peer: a lost message is an error only if somebody listens, and names the child",
          "[process]") {
  TestLoop loop;
  std::vector<std::string> errors;
  auto child = loop.fork_script("echo 1 >&3; kill -9 $$");
  child.on<"error">([&](const tine::Error& error) { errors.emplace_back(error.what()); });
  child.on<"message">([&] {
    await_death(child);
    child.send("answer");
  });
  loop.run();
  REQUIRE(errors.size() == 1);
  CHECK_THAT(errors[0], StartsWith("child /bin/sh (pid " + std::to_string(child.pid().value())));
  CHECK_THAT(errors[0], ContainsSubstring("1 sent message(s) could not be written"));
}

TEST_CASE("dying peer: a line that is no message is an error even if nobody listens", "[process]") {
  TestLoop loop;
  auto child = loop.fork_script("echo junk >&3");
  child.on<"message">([] {});
  CHECK_THROWS_WITH(loop.run(),
                    StartsWith("child /bin/sh (pid ") && ContainsSubstring("is no message"));
  loop.run();
}

// The child is stopped while the parent writes its last messages and closes the channel.
TEST_CASE("dying peer: a child that answers a dead parent ends as usual", "[process]") {
  RawParent child("echo");
  child.channel().write("\"ready\"\n");
  child.channel().expect("\"ready\"\n");
  child.stop();
  child.channel().write("1\n2\n3\n");
  child.channel().close();
  child.kill(SIGCONT);
  CHECK(child.wait() == 0);
}

TEST_CASE("dying peer: a cluster worker that answers a dead primary ends with code 0",
          "[process]") {
  RawParent worker("worker", {}, {"NODE_UNIQUE_ID=1"});
  worker.channel().read_until("online");
  worker.stop();
  worker.channel().write("1\n2\n3\n");
  worker.channel().close();
  worker.kill(SIGCONT);
  CHECK(worker.wait() == 0);
}

TEST_CASE("dying peer: a write to the stdin of a dead child does not end the parent", "[process]") {
  TestLoop loop;
  auto child =
      loop.fork_script("kill -9 $$", {.stdio = {tine::Stdio::pipe(), tine::Stdio::inherit(),
                                                tine::Stdio::inherit(), tine::Stdio::ipc()}});
  await_death(child);
  child.in().write("nobody reads it");
  child.in().write("nor this");
  loop.run();
  child.in().write("nor that");
  loop.run();
  CHECK(child.signal_code() == SIGKILL);
}

TEST_CASE("process: send() in a program that was not forked is an error", "[process]") {
  TestLoop loop;
  tine::Process process(loop);
  process.send(1);
  CHECK_THROWS_WITH(loop.run(), ContainsSubstring("ERR_IPC_CHANNEL_CLOSED"));
}
