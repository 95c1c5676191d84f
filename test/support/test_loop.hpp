// A loop for tests. It does not wait forever, and reports what a test has left behind.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

#include <tine/tine.hpp>

// A Loop for one test. The test fails if run() takes longer than the deadline, or if at the end
// there are libuv handles, descriptors or children that were not there at the beginning.
class TestLoop {
 public:
  TestLoop();
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;
  ~TestLoop();

  operator tine::Loop&() { return *loop_; }
  tine::Loop* operator->() { return loop_.get(); }

  // Runs the loop until nothing is left, or until stop().
  void run();

  // Forks a program of test/programs.
  tine::ChildProcess fork(const std::string& program, tine::ForkOptions options = {});
  // Forks a script for /bin/sh, which has the channel as descriptor 3.
  tine::ChildProcess fork_script(const std::string& script, tine::ForkOptions options = {});

  // Destroys the Loop early. After that the test must not use this object.
  void destroy();

 private:
  void check_handles();

  std::map<int, std::string> descriptors_before_;
  std::unique_ptr<tine::Loop> loop_;
};

// Returns the path of a program of test/programs.
std::filesystem::path test_program(const std::string& name);

// Returns the open descriptors of this process, and the files that they refer to.
std::map<int, std::string> open_descriptors();

// The time after which a test fails. It is much longer than a test needs on a busy machine.
inline constexpr std::chrono::seconds deadline{60};

// If something comes within this time, even on a busy machine, it has not waited for a timeout of
// the library, whose shortest default is 5 s.
inline constexpr std::chrono::seconds soon{4};

// Counts calls. The destructor fails the test if there were not exactly as many as expected.
class ExpectCalls {
 public:
  explicit ExpectCalls(int expected) : expected_(expected) {}
  ExpectCalls(const ExpectCalls&) = delete;
  ExpectCalls& operator=(const ExpectCalls&) = delete;
  ~ExpectCalls();

  void operator()() { ++count_; }
  int count() const { return count_; }

 private:
  int expected_;
  int count_ = 0;
};
