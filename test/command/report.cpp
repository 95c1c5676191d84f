// Tests how `tine script` writes its report.
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/pipe.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"

namespace {

// Starts `tine script` with that many transcripts, none of which exists, and with `out` as its
// stdout. Returns its pid.
int start_script(const Folder& folder, int transcripts, int out) {
  std::vector<std::string> words{TINE_COMMAND, "script", "--format", "junit"};
  for (int i = 0; i < transcripts; ++i) words.push_back("missing" + std::to_string(i) + ".tine");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int pid = fork();
  if (pid == 0) {
    if (chdir(folder.path().c_str()) == 0 && dup2(out, STDOUT_FILENO) >= 0) {
      execv(arguments[0], arguments.data());
    }
    _exit(127);
  }
  REQUIRE(pid > 0);
  return pid;
}

}  // namespace

// The report is longer than the pipe. It is written at once, when all transcripts are done.
TEST_CASE("report: it waits for a reader, even if stdout is non-blocking", "[command]") {
  constexpr int transcripts = 3000;
  const Folder folder;
  Pipe pipe;
  REQUIRE(fcntl(pipe.write.get(), F_SETFL, O_NONBLOCK) == 0);
  const int pid = start_script(folder, transcripts, pipe.write.get());
  pipe.write = tine::base::Descriptor(-1);

  const int capacity = fcntl(pipe.read.get(), F_GETPIPE_SZ);
  const auto late = std::chrono::steady_clock::now() + deadline;
  for (int filled = 0; filled < capacity; std::this_thread::yield()) {
    REQUIRE(std::chrono::steady_clock::now() < late);
    REQUIRE(ioctl(pipe.read.get(), FIONREAD, &filled) == 0);
  }
  std::string report;
  char piece[4096];
  for (ssize_t n = 0; (n = read(pipe.read.get(), piece, sizeof piece)) > 0;) {
    report.append(piece, static_cast<std::size_t>(n));
  }
  CHECK(await_exit(pid) == 2);
  CHECK_THAT(report, ContainsSubstring("name=\"missing" + std::to_string(transcripts - 1)));
  CHECK_THAT(report, EndsWith("</testsuites>\n"));
}
