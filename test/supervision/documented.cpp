// The programs of docs/supervision.md.
#include <csignal>
#include <string>

#include "supervision/supervised.hpp"

namespace {

const std::string folder = SUPERVISION_DOCUMENTED;

// A program whose output is collected.
struct Program {
  Program(TestLoop& loop, const std::string& name, const std::string& argument)
      : child(tine::fork(loop, folder + "/" + name,
                         {.args = {argument},
                          .stdio = {tine::Stdio::ignore(), tine::Stdio::pipe(),
                                    tine::Stdio::inherit(), tine::Stdio::ipc()}})) {
    child.out().on<"data">([this](std::string_view bytes) {
      output += bytes;
      on_output();
    });
  }

  tine::ChildProcess child;
  std::string output;
  std::function<void()> on_output = [] {};
};

}  // namespace

TEST_CASE("supervision: the documented supervisor keeps its children, and ends with them",
          "[supervision]") {
  TestLoop loop;
  Program supervisor(loop, "supervisor", folder);
  supervisor.on_output = [&] {
    if (supervisor.output.ends_with("web is ready\n")) supervisor.child.kill(SIGTERM);
  };
  loop.run();
  CHECK(supervisor.output == "store is ready\nweb is ready\nall have ended\n");
  CHECK(supervisor.child.exit_code() == 0);
}

TEST_CASE("supervision: the documented steps end a child", "[supervision]") {
  TestLoop loop;
  Program stop(loop, "stop", test_program("echo").string());
  loop.run();
  CHECK(stop.output == "code 0\n");
  CHECK(stop.child.exit_code() == 0);
}
