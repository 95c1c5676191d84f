// What tests run on: a loop that does not wait for ever and tells what a test has left behind.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

#include <tine/tine.hpp>

// A Loop for one test. The test fails if run() takes longer than the deadline, and if at the end
// there are libuv handles, descriptors or children that were not there at its beginning.
class TestLoop {
 public:
  TestLoop();
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;
  ~TestLoop();

  operator tine::Loop&() { return *loop_; }
  tine::Loop* operator->() { return loop_.get(); }

  // Until nothing is left, or stop().
  void run();

  // A program of test/programs.
  tine::ChildProcess fork(const std::string& program, tine::ForkOptions options = {});
  // A script for /bin/sh, which has the channel as descriptor 3.
  tine::ChildProcess fork_script(const std::string& script, tine::ForkOptions options = {});

  // Destroys the Loop before its time; a test that has called it does nothing more with this
  // object.
  void destroy();

 private:
  void check_handles();

  std::map<int, std::string> descriptors_before_;
  std::unique_ptr<tine::Loop> loop_;
};

// Where a program of test/programs is.
std::filesystem::path test_program(const std::string& name);

// The open descriptors of this process, and what they are.
std::map<int, std::string> open_descriptors();

// A deadline that ends a test, far beyond what it needs on a busy machine.
inline constexpr std::chrono::seconds deadline{60};

// What comes within it, on a busy machine too, has not waited for a timeout of the library's: of those that
// a test leaves as they are, the shortest is 5 s.
inline constexpr std::chrono::seconds soon{4};

// Counts calls. The test fails if there were not exactly as many as expected when it goes.
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
