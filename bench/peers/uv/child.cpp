// The child on libuv and nlohmann/json, put together in the simplest way (see json_pipe.hpp).
#include "child_task.hpp"
#include "json_pipe.hpp"

int main(int argc, char** argv) {
  bench::ChildTask task(argc, argv);
  bench::JsonPipe pipe(uv_default_loop());
  pipe.open(3);
  pipe.read([&](const nlohmann::json& message) {
    if (task.works()) {
      task.work();
      pipe.send({{"sent_us", bench::now_us()}});
    } else if (task.received()) {
      pipe.send(message);
    }
  });
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
