#include "support/test_loop.hpp"

#include <cerrno>
#include <exception>

#include <sys/wait.h>
#include <uv.h>

#include "support/catch.hpp"

namespace {

// tine's own handles: one wakes the loop, one is for signals of other threads, and two are for
// timers.
constexpr int handles_of_a_loop = 4;

bool has_children() {
  siginfo_t unused;
  return waitid(P_ALL, 0, &unused, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

}  // namespace

// The first loop of a process leaves libuv's own descriptors behind, so it is made before
// descriptors are counted.
TestLoop::TestLoop() {
  static const tine::Loop first;
  descriptors_before_ = open_descriptors();
  loop_ = std::make_unique<tine::Loop>();
}

TestLoop::~TestLoop() {
  if (std::uncaught_exceptions() > 0) return;
  if (loop_) {
    check_handles();
    destroy();
  }
  CHECK(open_descriptors() == descriptors_before_);
  CHECK_FALSE(has_children());
}

void TestLoop::check_handles() {
  int open = 0;
  const auto count = [](uv_handle_t* handle, void* counter) {
    if (!uv_is_closing(handle)) ++*static_cast<int*>(counter);
  };
  uv_walk(loop_->native(), count, &open);
  CHECK(open == handles_of_a_loop);
}

void TestLoop::destroy() { loop_.reset(); }

void TestLoop::run() {
  bool late = false;
  auto timer = loop_->after(deadline, [&] {
    late = true;
    loop_->stop();
  });
  timer.unref();
  struct Cancel {
    tine::Timer& timer;
    ~Cancel() { timer.cancel(); }
  } cancel{timer};
  loop_->run();
  REQUIRE_FALSE(late);
}

tine::ChildProcess TestLoop::fork(const std::string& program, tine::ForkOptions options) {
  return tine::fork(*loop_, test_program(program), std::move(options));
}

tine::ChildProcess TestLoop::fork_script(const std::string& script, tine::ForkOptions options) {
  options.exec_path = "/bin/sh";
  options.exec_args = {"-c"};
  return tine::fork(*loop_, script, std::move(options));
}

std::filesystem::path test_program(const std::string& name) {
  return tine::executable_dir() / "programs" / name;
}

std::map<int, std::string> open_descriptors() {
  std::map<int, std::string> descriptors;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the directory's own descriptor is listed too
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (gone || target.find("/fd") != target.npos) continue;
    descriptors.emplace(std::stoi(entry.path().filename()), target);
  }
  return descriptors;
}

ExpectCalls::~ExpectCalls() {
  if (std::uncaught_exceptions() == 0) CHECK(count_ == expected_);
}
