// A primary that forks itself once. The worker says what arguments it has, which is passed on to the parent.
#include <string>
#include <vector>

#include <tine/tine.hpp>

int main(int argc, char** argv) {
  tine::Loop loop;
  if (std::getenv("NODE_UNIQUE_ID") == nullptr) {
    tine::Process process(loop);
    tine::Cluster cluster(loop);
    cluster.on<"message">(
        [&](const tine::Worker&, const nlohmann::json& report) { process.send(report); });
    cluster.fork();
    loop.run();
  } else {
    tine::Cluster cluster(loop);
    cluster.worker().send(
        {{"args", std::vector<std::string>(argv + 1, argv + argc)}, {"id", cluster.worker().id()}});
    cluster.worker().disconnect();
    loop.run();
  }
}
