// Runs a program to its end, and returns the result.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "spawn/subprocess.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/test_loop.hpp"

using tine::spawn::SpawnError;
using tine::spawn::Subprocess;
using tine::spawn::SubprocessExit;
using tine::spawn::SubprocessOptions;

// Sets how programs are started while this object lives.
class Way {
 public:
  explicit Way(bool uv_spawn) { Subprocess::use_uv_spawn(uv_spawn); }
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;
  ~Way() { Subprocess::use_uv_spawn(false); }
};

inline SubprocessOptions script(const std::string& text) {
  SubprocessOptions options;
  options.args = {"/bin/sh", "-c", text};
  options.env = {"PATH=/usr/bin:/bin"};
  return options;
}

// A running program. The test fails if its end is not reported exactly once.
class Running {
 public:
  Running(TestLoop& loop, const SubprocessOptions& options) : ended_(1) {
    subprocess_ =
        Subprocess::start(tine::core_of(loop), options, [this](const SubprocessExit& exit) {
          ended_();
          exit_ = exit;
        });
  }
  Subprocess& operator*() { return *subprocess_; }
  Subprocess* operator->() { return subprocess_.get(); }

  // Returns false if its end was reported as unknown.
  bool known() const { return exit_.value().known; }
  int code() const { return exit_.value().signal == 0 ? exit_.value().code : -1; }
  int signal() const { return exit_.value().signal; }
  bool ended() const { return exit_.has_value(); }
  std::optional<rusage> usage() const { return exit_.value().usage; }

 private:
  ExpectCalls ended_;
  std::unique_ptr<Subprocess> subprocess_;
  std::optional<SubprocessExit> exit_;
};

// Runs a program and returns its output. The output must fit into a pipe.
inline std::string output_of(TestLoop& loop, SubprocessOptions options) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  options.stdio.at(1) = ends[1];
  const tine::base::Descriptor ours(ends[0]);
  {
    const tine::base::Descriptor theirs(ends[1]);
    Running running(loop, options);
    loop.run();
    CHECK(running.code() == 0);
  }
  std::string text(65536, '\0');
  const ssize_t size = read(ours.get(), text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}
