// Forks MODULE, run by EXEC_PATH with ARGS, and waits for its end, or for its first message. The child
// is to see the end of a parent that is killed.
#include <tine/tine.hpp>

int main(int argc, char** argv) {
  tine::Loop loop;
  auto child =
      tine::fork(loop, argv[2],
                 {.args = {argv + 3, argv + argc}, .exec_path = argv[1], .parent_death_signal = 0});
  child.on<"message">([&] { loop.stop(); });
  loop.run();
}
