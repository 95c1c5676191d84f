#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

// Returns what a shell command prints.
std::string output_of(const std::string& command) {
  FILE* const pipe = popen(command.c_str(), "r");
  std::string output;
  std::array<char, 4096> piece;
  while (const std::size_t n = fread(piece.data(), 1, piece.size(), pipe))
    output.append(piece.data(), n);
  pclose(pipe);
  return output;
}

std::string channel_state(const std::string& environment, const std::string& redirection = "") {
  return output_of("env " + environment + " " + test_program("channel_state").string() + " " +
                   redirection);
}

}  // namespace

TEST_CASE("process: without a channel it is not connected, and runs on", "[process]") {
  CHECK(channel_state("") == "not connected\n");
}

TEST_CASE("process: an invalid channel variable is a clear error", "[process]") {
  const std::string value = GENERATE(as<std::string>{}, "", "abc", "-1", "3junk", "'3 '", "0x3",
                                     "+3", "99999999999999999999", "77");
  const std::string output = channel_state("NODE_CHANNEL_FD=" + value);
  CHECK_THAT(output, StartsWith("not connected\n") && ContainsSubstring("NODE_CHANNEL_FD="));
}

TEST_CASE("process: the variable that marks a tine parent is ignored for another parent",
          "[process]") {
  const std::string value = GENERATE(std::to_string(getpid()), "1", "", "junk");
  RawParent parent("obey", {}, {"TINE_CHANNEL=" + value});
  parent.channel().write("\"disconnect\"\n");
  CHECK(parent.channel().read_to_end().empty());  // it does not announce that it is tine
  CHECK(parent.wait() == 0);
}

TEST_CASE("executable_dir: it is the program's directory at its start", "[process]") {
  const std::string what = GENERATE(as<std::string>{}, "nothing", "replaced", "removed", "moved");
  const Folder folder;
  const auto directory = folder.path() / "installed";
  const auto program = directory / "program";
  std::filesystem::create_directory(directory);
  std::filesystem::copy_file(test_program("obey"), program);
  TestLoop loop;
  std::string reported;
  auto child = tine::fork(loop, program);
  child.on<"message">([&](const std::string& text) {
    if (text != "it runs") {
      reported = text;
      return child.disconnect();
    }
    if (what == "replaced") {
      std::filesystem::copy_file(test_program("echo"), folder.at("new"));
      std::filesystem::rename(folder.at("new"), program);
    } else if (what == "removed") {
      std::filesystem::remove(program);
    } else if (what == "moved") {
      std::filesystem::rename(directory, folder.at("old"));
    }
    child.send("directory");
  });
  child.send("it runs");
  loop.run();
  CHECK(reported == directory);
}

TEST_CASE("process: a descriptor that is no stream socket is refused", "[process]") {
  CHECK_THAT(channel_state("NODE_CHANNEL_FD=3", "3</dev/null"),
             ContainsSubstring("not a stream socket"));
}

TEST_CASE("process: another serialization is refused with an error and a disconnect", "[process]") {
  TestLoop loop;
  std::string text;
  const std::string program = test_program("channel_state").string();
  auto child = loop.fork_script("NODE_CHANNEL_SERIALIZATION_MODE=future exec " + program + " >&3");
  bool disconnected = false;
  child.on<"disconnect">([&] { disconnected = true; });
  child.on<"error">([&](const tine::Error& error) { text += error.what(); });
  child.on<"message">([] {});
  loop.run();
  CHECK(disconnected);
  CHECK_THAT(text, ContainsSubstring("not connected"));
}

TEST_CASE("process: the channel of another serialization is closed when the error is delivered",
          "[process]") {
  TestLoop loop;
  int fd = -1;
  RawPeer parent(fd);
  setenv("NODE_CHANNEL_FD", std::to_string(fd).c_str(), 1);
  setenv("NODE_CHANNEL_SERIALIZATION_MODE", "future", 1);
  tine::Process process(loop);
  int errors = 0;
  process.on<"error">([&](const tine::Error& error) {
    CHECK(error.code() == tine::Errc::unsupported_serialization);
    ++errors;
  });
  loop.run();
  CHECK(errors == 1);
  CHECK(parent.read_to_end().empty());
}

TEST_CASE("process: another serialization ends a program without a listener, with exit code 78",
          "[process]") {
  TestLoop loop;
  tine::ForkOptions options;
  options.silent = true;
  auto child = loop.fork_script(
      "read -r _; NODE_CHANNEL_SERIALIZATION_MODE=future exec " + test_program("echo").string(),
      options);
  std::string text;
  std::string problem;
  std::optional<tine::ExitStatus> status;
  child.stdio(2).on<"data">([&](std::string_view data) { text += data; });
  child.on<"error">([&](const tine::Error& error) { problem = error.what(); });
  child.on<"exit">([&](const tine::ExitStatus& exit) { status = exit; });
  child.send("sent before it ends", [&] { child.stdio(0).end("go\n"); });
  loop.run();
  CHECK(status == tine::ExitStatus{.code = 78});
  CHECK_THAT(text, ContainsSubstring("serialization \"future\""));
  CHECK(problem.empty());
}

TEST_CASE("process: a program started from it has no channel variables", "[process]") {
  TestLoop loop;
  auto child = loop.fork("report");
  json env;
  child.on<"message">([&](const json& message) { env = message["env"]; });
  loop.run();
  CHECK(env["NODE_CHANNEL_FD"].is_null());
  CHECK(env["NODE_CHANNEL_SERIALIZATION_MODE"].is_null());
}

TEST_CASE("process: the channel may have any number, and is closed on exec", "[process]") {
  TestLoop loop;
  int fd = -1;
  RawPeer peer(fd);
  const int high = fcntl(fd, F_DUPFD, 40);
  close(fd);
  setenv("NODE_CHANNEL_FD", std::to_string(high).c_str(), 1);
  {
    tine::Process process(loop);
    CHECK(process.connected());
    CHECK(std::getenv("NODE_CHANNEL_FD") == nullptr);
    CHECK((fcntl(high, F_GETFD) & FD_CLOEXEC) != 0);
    tine::Process second(loop);
    CHECK_FALSE(second.connected());
    process.send("Hello");
    CHECK(peer.read_available() == "\"Hello\"\n");
  }
  loop.run();
  CHECK(peer.at_end());
}

TEST_CASE("process: after its destruction only callbacks are called", "[process]") {
  TestLoop loop;
  int fd = -1;
  RawPeer peer(fd);
  setenv("NODE_CHANNEL_FD", std::to_string(fd).c_str(), 1);
  int written = 0;
  int cancelled = 0;
  {
    tine::Process process(loop);
    process.on<"error">([](const tine::Error&) { FAIL("a listener of a Process that is gone"); });
    for (int i = 0; i < 10; ++i) {
      process.send(std::string(100'000, 'x'), [&](std::error_code error) {
        ++(error == std::error_code() ? written : cancelled);
      });
    }
    process.send("without callback");
    process.send("\xFF");
  }
  loop.run();
  CHECK(written > 0);
  CHECK(cancelled > 0);
  CHECK(written + cancelled == 10);
}

TEST_CASE("process: a listener keeps the loop running until it is removed", "[process]") {
  TestLoop loop;
  int fd = -1;
  RawPeer peer(fd);
  setenv("NODE_CHANNEL_FD", std::to_string(fd).c_str(), 1);
  tine::Process process(loop);
  loop.run();
  int received = 0;
  process.once<"message">([&] { ++received; });
  peer.write("1\n2\n");
  loop.run();
  CHECK(received == 1);
  const auto subscription = process.on<"disconnect">([] {});
  loop->after(1ms, [&] { process.off(subscription); });
  loop.run();
  process.channel().ref();
  loop->after(1ms, [&] { process.channel().unref(); });
  loop.run();
  CHECK(process.connected());
  process.disconnect();
  loop.run();
}

TEST_CASE("process: without stdin, stdout and stderr no end mistakes a channel for them",
          "[process]") {
  const std::string closed = GENERATE(as<std::string>{}, "<&-", ">&-", "<&- >&- 2>&-");
  const std::string parent = test_program("parent").string();
  CHECK(std::system((parent + " '' " + test_program("report").string() + " " + closed).c_str()) ==
        0);
}
