// Programs that cannot be started or do not speak the protocol, and bad environment variables.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/invariants.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;
using Log = std::vector<std::string>;

namespace {

// A descriptor that the programs started from here inherit.
class Inherited {
 public:
  explicit Inherited(int fd) : fd_(fd) { REQUIRE(fd >= 0); }
  Inherited(const Inherited&) = delete;
  Inherited& operator=(const Inherited&) = delete;
  ~Inherited() { close(fd_); }
  int number() const { return fd_; }

 private:
  int fd_;
};

int listening_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in any{
      .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof(any)) == 0);
  REQUIRE(listen(fd, 1) == 0);
  return fd;
}

// Returns one end of a socket pair. The other end is closed.
int socket_pair(int type) {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, type, 0, ends.data()) == 0);
  close(ends[1]);
  return ends[0];
}

int pipe_end(std::size_t which) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  close(ends.at(1 - which));
  return ends.at(which);
}

// Returns what the program `channel_state` prints about its channel. It must end with exit code 0.
std::string channel_state(int fd) {
  const std::string command =
      "NODE_CHANNEL_FD=" + std::to_string(fd) + " " + test_program("channel_state").string();
  FILE* const pipe = popen(command.c_str(), "r");
  std::string output;
  std::array<char, 4096> piece;
  while (const std::size_t n = fread(piece.data(), 1, piece.size(), pipe))
    output.append(piece.data(), n);
  CHECK(pclose(pipe) == 0);
  return output;
}

}  // namespace

TEST_CASE("row 28: a program that cannot be started is one error, without exit", "[rows]") {
  const Folder files;
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

// On ENOEXEC, execvp() runs the shell.
TEST_CASE("row 28: a script without an interpreter line is run by the shell", "[rows]") {
  const Folder files;
  TestLoop loop;
  Invariants invariants(loop);
  auto child = invariants.watch(tine::fork(loop, files.add("script", "exit 7\n", true)));
  loop.run();
  CHECK((child.exit_status() == tine::ExitStatus{.code = 7}));
  invariants.check();
}

TEST_CASE("row 29: a program that sends our lines back, also internal ones, does no harm",
          "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork_script("exec /bin/cat <&3 >&3"));
  child.on<"message">([&](const json& message) {
    log.push_back(message.dump());
    if (message == "last") child.disconnect();
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
  CHECK(invariants.successes() == static_cast<int>(sent.size()));
  invariants.check();
}

TEST_CASE("row 32: a channel that is no connected stream socket is a clear error", "[rows]") {
  const TestLoop checks_what_is_left;
  const auto make = GENERATE(
      as<int (*)()>{}, [] { return open("/dev/null", O_RDWR); }, [] { return open("/", O_RDONLY); },
      [] { return open("/dev/ptmx", O_RDWR | O_NOCTTY); }, [] { return epoll_create1(0); },
      [] { return eventfd(0, 0); }, [] { return memfd_create("file", 0); },
      [] { return pipe_end(0); }, [] { return pipe_end(1); }, listening_socket,
      [] { return socket(AF_INET, SOCK_STREAM, 0); },
      [] { return socket(AF_UNIX, SOCK_STREAM, 0); }, [] { return socket(AF_INET, SOCK_DGRAM, 0); },
      [] { return socket_pair(SOCK_DGRAM); }, [] { return socket_pair(SOCK_SEQPACKET); });
  const Inherited fd(make());
  const std::string state = channel_state(fd.number());
  CHECK_THAT(state, StartsWith("not connected\n"));
  CHECK_THAT(state, ContainsSubstring("NODE_CHANNEL_FD=" + std::to_string(fd.number()) + " names"));
}

TEST_CASE("row 32: a channel whose other end is closed ends as usual", "[rows]") {
  const TestLoop checks_what_is_left;
  const Inherited fd(socket_pair(SOCK_STREAM));
  CHECK(channel_state(fd.number()) == "connected\n");
}

TEST_CASE("row 32: repeated or huge channel variables do not reach a grandchild", "[rows]") {
  const TestLoop checks_what_is_left;
  const std::string huge(100'000, '9');
  RawParent parent(
      "obey", {}, {},
      {"NODE_CHANNEL_FD=99", "NODE_CHANNEL_FD=" + huge, "NODE_CHANNEL_FD", "NODE_UNIQUE_ID=" + huge,
       "NODE_CHANNEL_SERIALIZATION_MODE=json", "NODE_CHANNEL_SERIALIZATION_MODE=" + huge});
  parent.channel().write("\"environment\"\n\"disconnect\"\n");
  const std::string answer = parent.channel().read_to_end();
  CHECK_THAT(answer, ContainsSubstring("PATH="));
  CHECK_THAT(answer, !ContainsSubstring("NODE_CHANNEL") && !ContainsSubstring("NODE_UNIQUE_ID"));
  CHECK(parent.wait() == 0);
}

TEST_CASE("row 32: a stale variable before the right one is an error, not a crash", "[rows]") {
  const TestLoop checks_what_is_left;
  const std::string stale = GENERATE("99", "", "junk", "-3", "2147483648");
  RawParent parent("channel_state", {}, {"NODE_CHANNEL_FD=" + stale});
  CHECK(parent.wait() == 0);
  CHECK(parent.channel().at_end());
}

TEST_CASE("row 32: channel variables in the parent's environment do not reach a child", "[rows]") {
  const std::string stale =
      GENERATE(as<std::string>{}, "99", "junk", "", std::string(100'000, '9'));
  TestLoop loop;
  Invariants invariants(loop);
  for (const char* const name :
       {"NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_UNIQUE_ID"}) {
    setenv(name, stale.c_str(), 1);
  }
  auto child = invariants.watch(loop.fork_script("env | grep -Ec '^NODE_(CHANNEL|UNIQUE)' >&3"));
  int variables = 0;
  child.on<"message">([&](int count) { variables = count; });
  loop.run();
  invariants.check();
  for (const char* const name :
       {"NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_UNIQUE_ID"}) {
    unsetenv(name);
  }
  CHECK(variables == 2);  // those of the child's own channel
}
