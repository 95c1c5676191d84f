// A child that is also a parent. It forks a child that runs forever, with the default
// parent_death_signal, and sends its pid to its own parent.
#include <tine/tine.hpp>

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  auto child = tine::fork(loop, "/dev/null", {.exec_path = "tail", .exec_args = {"-f"}});
  process.send(child.pid().value());
  loop.run();
}
