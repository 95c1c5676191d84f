// tine's child that looks for messages before it blocks.
#include <chrono>

#include <tine/tine.hpp>

#include "child_task.hpp"

int main(int argc, char** argv) {
  bench::ChildTask task(argc, argv);
  tine::Loop loop;
  loop.spin(std::chrono::microseconds(bench::spin_us));
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
