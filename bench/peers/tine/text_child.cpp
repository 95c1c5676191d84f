// tine's child that takes each message as text and sends it back. Nothing parses it to a value.
#include <tine/tine.hpp>

#include "child_task.hpp"

int main(int argc, char** argv) {
  bench::ChildTask task(argc, argv);
  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&](tine::Text message) {
    if (task.received()) process.send(message);
  });
  loop.run();
}
