// A child of a JavaScript program that asks it through vscode-jsonrpc, and that it asks itself:
//
//   const child = fork('', { execPath: '/path/of/this/program' });
//   const connection = createMessageConnection(new IPCMessageReader(child),
//                                              new IPCMessageWriter(child));
//   connection.listen();
#include <csignal>
#include <functional>
#include <list>
#include <stdexcept>
#include <stop_token>
#include <string>

#include <tine/tine.hpp>

using nlohmann::json;

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  const tine::Rpc rpc(process);

  rpc.on_request("add", [](int a, int b) { return a + b; });
  rpc.on_request("nothing", [] {});
  rpc.on_request("fail", [](const json& error) {
    throw tine::RpcError(error.at("code"), error.at("message"), error.at("data"));
  });
  rpc.on_request("throw", [] { throw std::runtime_error("thrown"); });

  int stops = 0;
  std::list<std::stop_callback<std::function<void()>>> waiting;
  rpc.on_request("wait", [&](const json&, const tine::Reply& reply) {
    waiting.emplace_back(reply.stop_token(), [&stops, reply] {
      ++stops;
      reply.fail({tine::Errc::aborted, "stopped"});
    });
  });
  rpc.on_request("stops", [&] { return stops; });

  // The listener of vscode-jsonrpc is known by a token, which the params tell.
  rpc.on_request("work", [&](const json& params) {
    for (int step = 1; step <= params.at("steps"); ++step) {
      rpc.notify("$/progress", {{"token", params.at("workDoneToken")}, {"value", step}});
    }
    return "done";
  });

  int logged = 0;
  rpc.on_notification("log", [&](int number) { logged += number; });
  rpc.on_request("logged", [&] { return logged; });
  rpc.on_notification("die", [] { std::raise(SIGKILL); });

  // Asks the parent, and answers with what comes of it.
  const auto pass_on = [](const tine::Reply& reply) {
    return [reply](const tine::Result<>& result) {
      result ? reply.send(*result) : reply.fail(result.error());
    };
  };
  rpc.on_request("ask",
                 [&](const std::string& method, const json& params, const tine::Reply& reply) {
                   rpc.request(method, params).then(pass_on(reply));
                 });
  // Cancels the request, and answers when the parent has learnt of that.
  rpc.on_request("ask and cancel", [&](const std::string& method, const tine::Reply& reply) {
    rpc.request(method).then(pass_on(reply)).cancel();
  });
  rpc.on_request(
      "tell", [&](const std::string& method, const json& params) { rpc.notify(method, params); });

  loop.run();
}
