// Tests `tine run` and `tine call` at a terminal, as jobs of a shell.
#include <cerrno>
#include <chrono>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __APPLE__
#include <util.h>
#else
#include <pty.h>
#endif

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/test_loop.hpp"

namespace {

const std::string ctrl_c = "\x03";
const std::string ctrl_z = "\x1a";

// A pseudoterminal and a shell in it that has job control and runs a script.
class Terminal {
 public:
  Terminal(const Folder& folder, const std::string& script) {
    pid_ = forkpty(&fd_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      if (chdir(folder.path().c_str()) == 0) {
        execl("/bin/sh", "sh", "-m", "-c", script.c_str(), nullptr);
      }
      _exit(127);
    }
    REQUIRE(pid_ > 0);
    fcntl(fd_, F_SETFD, FD_CLOEXEC);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() { hang_up(); }

  void type(const std::string& keys) const {
    CHECK(write(fd_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }

  // Waits until the terminal shows the text. Returns the output before it.
  std::string wait_for(const std::string& text) {
    const auto late = std::chrono::steady_clock::now() + deadline;
    for (;;) {
      if (const auto at = shown_.find(text); at != shown_.npos) {
        std::string before = shown_.substr(0, at);
        shown_.erase(0, at + text.size());
        return before;
      }
      char piece[4096];
      pollfd readable{fd_, POLLIN, 0};
      const ssize_t n = poll(&readable, 1, 100) > 0 ? read(fd_, piece, sizeof piece) : 0;
      INFO(shown_ << " has no " << text);
      REQUIRE((n >= 0 || errno == EINTR));
      REQUIRE(std::chrono::steady_clock::now() < late);
      if (n > 0) shown_.append(piece, static_cast<std::size_t>(n));
    }
  }

  // Closes the terminal, which ends the session, and waits for the shell.
  void hang_up() {
    if (fd_ < 0) return;
    close(fd_);
    fd_ = -1;
    waitpid(pid_, nullptr, 0);
  }

 private:
  int fd_ = -1;
  pid_t pid_ = -1;
  std::string shown_;
};

// Adds a child that asks for a name at the terminal, then sends a greeting; it also sends
// "interrupted" for each SIGINT. Returns the command that runs it.
std::string add_asking(const Folder& folder) {
  folder.add("ask", R"(#!/bin/sh
trap 'echo "\"interrupted\"" >&3' INT
printf 'name? ' >/dev/tty
until read -r name </dev/tty; do :; done
echo "\"Hello $name\"" >&3
exit 3
)",
             true);
  return std::string(TINE_COMMAND) + " run --wait ./ask </dev/null";
}

}  // namespace

TEST_CASE("terminal: a child of run can ask a question at the terminal", "[command]") {
  const Folder folder;
  Terminal terminal(folder, add_asking(folder) + "; echo \"status $?\"");
  terminal.wait_for("name? ");
  terminal.type("you\n");
  terminal.wait_for("\"Hello you\"");
  terminal.wait_for("status 3");
}

TEST_CASE("terminal: Ctrl-C interrupts the child of run once", "[command]") {
  const Folder folder;
  Terminal terminal(folder, add_asking(folder) + "; echo \"status $?\"");
  terminal.wait_for("name? ");
  terminal.type(ctrl_c);
  terminal.wait_for("\"interrupted\"");
  terminal.type("you\n");
  CHECK_THAT(terminal.wait_for("\"Hello you\""), !ContainsSubstring("interrupted"));
  terminal.wait_for("status 3");
}

TEST_CASE("terminal: if Ctrl-C ends the child, the status of run is 130", "[command]") {
  const Folder folder;
  folder.add("wait", "#!/bin/sh\necho ready >/dev/tty\nexec tail -f /dev/null\n", true);
  Terminal terminal(folder, TINE_COMMAND " run --wait ./wait </dev/null; echo \"status $?\"");
  terminal.wait_for("ready");
  terminal.type(ctrl_c);
  terminal.wait_for("status 130");
}

TEST_CASE("terminal: Ctrl-C cancels the request of call, and its status is 130", "[command]") {
  const Folder folder;
  folder.add("wait", R"(#!/bin/sh
trap : INT
echo ready >/dev/tty
while read -r line <&3 || read -r line <&3; do echo "$line" >/dev/tty; done
)",
             true);
  Terminal terminal(folder, TINE_COMMAND " call ./wait work; echo \"status $?\"");
  terminal.wait_for("ready");
  terminal.wait_for("\"work\"");
  terminal.type(ctrl_c);
  terminal.wait_for("$/cancelRequest");
  terminal.wait_for("status 130");
}

TEST_CASE("terminal: Ctrl-Z stops run and its child, and fg lets both go on", "[command]") {
  const Folder folder;
  Terminal terminal(folder, add_asking(folder) + "; echo \"stopped $?\"; fg; echo \"status $?\"");
  terminal.wait_for("name? ");
  terminal.type(ctrl_z);
  terminal.wait_for("stopped 148");
  terminal.type("you\n");
  terminal.wait_for("\"Hello you\"");
  terminal.wait_for("status 3");
}

TEST_CASE("terminal: a child that asks a question in the background is stopped until fg",
          "[command]") {
  const Folder folder;
  Terminal terminal(folder, add_asking(folder) + " & read -r _; fg; echo \"status $?\"");
  terminal.wait_for("name? ");
  terminal.type("to the shell\n");
  terminal.type("you\n");
  terminal.wait_for("\"Hello you\"");
  terminal.wait_for("status 3");
}

TEST_CASE("terminal: Ctrl-Z does not stop run if nobody could let it go on", "[command]") {
  const Folder folder;
  Terminal terminal(folder, "exec " + add_asking(folder));
  terminal.wait_for("name? ");
  terminal.type(ctrl_z + "you\n");
  terminal.wait_for("\"Hello you\"");
}

TEST_CASE("terminal: run passes a hangup on if it leads its session", "[command]") {
  const Folder folder;
  folder.add("wait",
             "#!/bin/sh\ntrap 'echo told >told; exit' HUP\necho ready >/dev/tty\n"
             "while :; do read -r _ <&3; done\n",
             true);
  Terminal terminal(folder, "exec " TINE_COMMAND " run --wait ./wait </dev/null");
  terminal.wait_for("ready");
  terminal.hang_up();
  CHECK(std::filesystem::exists(folder.at("told")));
}
