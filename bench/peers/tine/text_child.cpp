// tine's child that takes the text as it came and sends it back. Nothing makes a value of it.
#include <tine/tine.hpp>

#include "child_task.hpp"

int main(int argc, char** argv) {
  bench::ChildTask task(argc, argv);
  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&](tine::Text message) {
    if (task.heard()) process.send(message);
  });
  loop.run();
}
