// A worker for workerpool. A JavaScript program starts it like this:
//
//   workerpool.pool('/any/path', {
//     workerType: 'process',
//     forkOpts: { execPath: '/path/of/this/program' },
//   });
#include <csignal>
#include <string>
#include <vector>

#include <tine/tine.hpp>

using nlohmann::json;

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  const tine::Rpc rpc(process);

  rpc.on_request("add", [](int a, int b) { return a + b; });
  rpc.on_request("echo", [](const json& arguments) { return arguments.at(0); });
  rpc.on_request("report", [](int steps, const tine::Reply& reply) {
    for (int step = 1; step <= steps; ++step) reply.progress(step);
    return "done";
  });
  rpc.on_request("fail", [](const std::string& message) {
    throw tine::RpcError(7, message, {{"of", "C++"}});
  });
  tine::Reply kept;
  rpc.on_request("never", [&](const json&, const tine::Reply& reply) { kept = reply; });
  rpc.on_request("die", [] { std::raise(SIGKILL); });
  // What pool.proxy() asks for.
  rpc.on_request("methods",
                 [] { return std::vector{"add", "echo", "report", "fail", "never", "die"}; });

  process.on<"message">([&](const json& message) {
    if (message == "__workerpool-terminate__") process.disconnect();
  });
  process.send("ready");
  loop.run();
}
