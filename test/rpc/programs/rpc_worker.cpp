// A cluster worker that answers requests of its primary, and asks the primary for its name. It ends
// with exit code 3 if something of its listeners or handlers is left at the end.
#include <cstdlib>
#include <memory>
#include <string>

#include <tine/tine.hpp>

namespace {

void work(const std::shared_ptr<int>& captured) {
  tine::Loop loop;
  tine::Cluster cluster(loop);
  const tine::Worker worker = cluster.worker();
  const tine::Rpc rpc(worker);
  rpc.on_request("id", [worker, captured] { return worker.id(); });
  rpc.on_request("name", [rpc](const nlohmann::json&, const tine::Reply& reply) {
    rpc.request("name").then([reply](const tine::Result<std::string>& name) {
      name ? reply.send("worker of " + *name) : reply.fail(name.error());
    });
  });
  rpc.on_notification("leave", [worker] { worker.disconnect(); });
  rpc.on_notification("abort", [] { std::abort(); });
  worker.on<"message">([worker, captured](const nlohmann::json& message) { worker.send(message); });
  loop.run();
}

}  // namespace

int main() {
  const auto captured = std::make_shared<int>();
  work(captured);
  return captured.use_count() == 1 ? 0 : 3;
}
