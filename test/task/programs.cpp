// The programs that a user would write.
#include <cstdio>
#include <memory>
#include <string>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

namespace {

// Runs a program of test/task/programs, and returns what it and its children write.
std::string output_of(const std::string& name) {
  const std::string command = (tine::executable_dir() / "task_programs" / name).string() + " 2>&1";
  struct Close {
    void operator()(FILE* file) const { pclose(file); }
  };
  const std::unique_ptr<FILE, Close> pipe(popen(command.c_str(), "r"));
  REQUIRE(pipe);
  std::string output;
  for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get())) {
    output += static_cast<char>(c);
  }
  return output;
}

}  // namespace

TEST_CASE("programs: the Hello pair", "[task]") {
  CHECK(output_of("hello_parent") ==
        "[Parent] Answer from child:  Hello to you too :)\n"
        "[Parent] Answer from child:  what?\n"
        "[Parent] The child ended with code 0\n");
}

TEST_CASE("programs: deadlines", "[task]") {
  CHECK(output_of("deadlines") ==
        "one message: a task has waited too long: not in time (ERR_TINE_TIMED_OUT)\n"
        "whole task: a task has waited too long: not in time (ERR_TINE_TIMED_OUT)\n"
        "race: the timer\n");
}

TEST_CASE("programs: several children", "[task]") {
  CHECK(output_of("several") ==
        "Hello to you too :)\n"
        "what?\n"
        "Hello to you too :)\n"
        "Hello to you too :) what?\n");
}
