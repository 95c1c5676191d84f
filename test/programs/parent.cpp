// Forks MODULE, run by EXEC_PATH with ARGS, and waits for its end.
#include <tine/tine.hpp>

int main(int argc, char** argv) {
  tine::Loop loop;
  tine::fork(loop, argv[2], {.args = {argv + 3, argv + argc}, .exec_path = argv[1]});
  loop.run();
}
