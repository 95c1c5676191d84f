// A cluster worker that answers requests of its primary, and asks the primary for its name.
#include <string>

#include <tine/tine.hpp>

int main() {
  tine::Loop loop;
  tine::Cluster cluster(loop);
  const tine::Worker worker = cluster.worker();
  const tine::Rpc rpc(worker);
  rpc.on_request("id", [worker] { return worker.id(); });
  rpc.on_request("name", [rpc](const nlohmann::json&, const tine::Reply& reply) {
    rpc.request("name").then([reply](const tine::Result<std::string>& name) {
      name ? reply.send("worker of " + *name) : reply.fail(name.error());
    });
  });
  rpc.on_notification("leave", [worker] { worker.disconnect(); });
  rpc.on_notification("abort", [] { std::abort(); });
  worker.on<"message">([worker](const nlohmann::json& message) { worker.send(message); });
  loop.run();
}
