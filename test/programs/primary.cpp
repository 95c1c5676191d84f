// A child that is also the primary of a cluster. It forks itself once or, with the argument
// "later", for each message. The worker sends its arguments and id, which the primary passes on to
// its parent.
#include <string>
#include <vector>

#include <tine/tine.hpp>

int main(int argc, char** argv) {
  tine::Loop loop;
  tine::Process process(loop);
  tine::Cluster cluster(loop, process);
  if (cluster.is_primary()) {
    cluster.on<"message">(
        [&](const tine::Worker&, const nlohmann::json& report) { process.send(report); });
    if (argc > 1 && argv[1] == std::string("later")) {
      process.on<"message">([&] { cluster.fork(); });
    } else {
      cluster.fork();
    }
  } else {
    cluster.worker().send(
        {{"args", std::vector<std::string>(argv + 1, argv + argc)}, {"id", cluster.worker().id()}});
    cluster.worker().disconnect();
  }
  loop.run();
}
