// Arguments: EXEC_PATH MODULE ARGS. Forks MODULE, run by EXEC_PATH with ARGS, and waits for its end
// or its first message. If this program is killed, the child lives on and must notice it.
#include <tine/tine.hpp>

int main(int argc, char** argv) {
  tine::Loop loop;
  auto child =
      tine::fork(loop, argv[2],
                 {.args = {argv + 3, argv + argc}, .exec_path = argv[1], .parent_death_signal = 0});
  child.on<"message">([&] { loop.stop(); });
  loop.run();
}
