// Programs that cannot be started for lack of resources, programs that crash, and programs whose
// output has nowhere to go.
#include <csignal>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;
using tine::Stdio;
using Log = std::vector<std::string>;

namespace {

// A guard: while it lives, this process cannot start processes. It gives up root's privileges,
// because the limit does not apply to root.
class NoMoreProcesses {
 public:
  NoMoreProcesses() {
    constexpr uid_t nobody = 65534;
    getrlimit(RLIMIT_NPROC, &before_);
    const rlimit none{0, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NPROC, &none) == 0);
    if (privileged_) REQUIRE(setresuid(nobody, nobody, 0) == 0);
  }
  NoMoreProcesses(const NoMoreProcesses&) = delete;
  NoMoreProcesses& operator=(const NoMoreProcesses&) = delete;
  ~NoMoreProcesses() {
    if (privileged_) CHECK(setresuid(0, 0, 0) == 0);
    setrlimit(RLIMIT_NPROC, &before_);
  }

 private:
  bool privileged_ = geteuid() == 0;
  rlimit before_{};
};

}  // namespace

TEST_CASE("row 27: if no more processes are allowed, fork is an error, and the next one works",
          "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  tine::ChildProcess child;
  {
    const NoMoreProcesses limit;
    child = loop.fork_script("exit 0", {.silent = true});
  }
  child.on<"error">([&](const tine::Error& error) {
    CHECK(error.code() == std::errc::resource_unavailable_try_again);
    log.emplace_back("error");
  });
  child.on<"exit">([&] { log.emplace_back("exit"); });
  child.on<"close">([&] { log.emplace_back("close"); });
  loop.run();
  CHECK(log == Log{"error", "close"});
  invariants.check();
}

TEST_CASE("row 53: a child that crashes with much memory reports its signal once", "[rows]") {
  const int signal = GENERATE(SIGSEGV, SIGABRT);
  TestLoop loop;
  Invariants invariants(loop);
  ExpectCalls messages(1);
  auto child = invariants.watch(loop.fork("crash", {.args = {std::to_string(signal)}}));
  child.on<"message">([&](const json& message) {
    messages();
    CHECK(message == "last words");
  });
  loop.run();
  CHECK(child.signal_code() == signal);
  invariants.check();
}

TEST_CASE("row 54: a child whose output has nowhere to go can exchange messages", "[rows]") {
  const std::string where = GENERATE(as<std::string>{}, "full disk", "broken pipe");
  TestLoop loop;
  Invariants invariants(loop);
  {
    const tine::base::Descriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
    REQUIRE(full.get() >= 0);
    const Stdio output = where == "full disk" ? Stdio::descriptor(full.get()) : Stdio::pipe();
    auto child = invariants.watch(
        loop.fork("obey", {.stdio = {Stdio::ignore(), output, output, Stdio::ipc()}}));
    if (child.out()) child.out().destroy();
    if (child.err()) child.err().destroy();
    child.on<"message">([&](const json& message) {
      CHECK(message == "there?");
      child.disconnect();
    });
    child.send("there?");
    loop.run();
    CHECK(child.exit_code() == 0);
  }
  invariants.check();
}
