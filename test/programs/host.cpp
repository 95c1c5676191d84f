// A child that is a parent: it forks one with the default options that runs for ever, and tells its pid.
#include <tine/tine.hpp>

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  auto child = tine::fork(loop, "/dev/null", {.exec_path = "tail", .exec_args = {"-f"}});
  process.send(child.pid().value());
  loop.run();
}
