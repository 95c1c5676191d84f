// Requests between the primary of a cluster and its workers.
#include <string>
#include <vector>

#include "rpc/rpc_test.hpp"

namespace {

struct Primary {
  Primary() : cluster(loop) {
    cluster.setup_primary({.exec = test_program("rpc_worker")});
    cluster.on<"error">([] {});
  }

  TestLoop loop;
  tine::Cluster cluster;
};

}  // namespace

TEST_CASE("worker: primary and workers ask each other, beside messages", "[rpc]") {
  Primary primary;
  std::vector<json> messages;
  primary.cluster.on<"message">(
      [&](const tine::Worker&, const json& message) { messages.push_back(message); });
  std::vector<tine::ExitStatus> ends;
  primary.cluster.on<"exit">(
      [&](const tine::Worker&, const tine::ExitStatus& status) { ends.push_back(status); });
  for (const int id : {1, 2}) {
    const tine::Worker worker = primary.cluster.fork();
    const tine::Rpc rpc(worker, patient());
    rpc.on_request("name", [id] { return "primary " + std::to_string(id); });
    worker.send("message");
    rpc.request("id").then([id](const tine::Result<int>& result) { CHECK(*result == id); });
    rpc.request("name").then([id, rpc](const tine::Result<std::string>& result) {
      CHECK(*result == "worker of primary " + std::to_string(id));
      rpc.notify("leave");
    });
  }
  primary.loop.run();
  CHECK(messages == std::vector<json>{"message", "message"});
  // They end with another code if something is left of what their listeners capture.
  CHECK(ends == std::vector<tine::ExitStatus>(2, {.code = 0}));
}

TEST_CASE("worker: requests to one that crashes fail with its exit status", "[rpc]") {
  Primary primary;
  const tine::Worker worker = primary.cluster.fork();
  const tine::Rpc rpc(worker, patient());
  const tine::Rpc of_child(worker.process());
  Came<> came;
  rpc.on_request("name", [](const json&, const tine::Reply& reply) {
    static tine::Reply kept;
    kept = reply;
  });
  rpc.request("name").then(came.callback());
  CHECK(of_child.pending() == 1);
  rpc.notify("abort");
  primary.loop.run();
  CHECK(came.error().code() == Errc::channel_closed);
  CHECK(came.error().exit_status() == tine::ExitStatus{.signal = SIGABRT});
}
