// tine's child. Any parent on Node's wire can fork it.
#include <tine/tine.hpp>

#include "child_task.hpp"

int main(int argc, char** argv) {
  bench::ChildTask task(argc, argv);
  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&](const nlohmann::json& message) {
    if (task.works()) {
      task.work();
      process.send({{"sent_us", bench::now_us()}});
    } else if (task.received()) {
      process.send(message);
    }
  });
  loop.run();
}
