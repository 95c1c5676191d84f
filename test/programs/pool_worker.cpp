// A worker of a pool. Each request says by its method what the worker does.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include <unistd.h>

#include <tine/tine.hpp>

using nlohmann::json;

namespace {

tine::Rpc rpc;

tine::Task<int> sleep_for(int milliseconds) {
  co_await tine::sleep(std::chrono::milliseconds(milliseconds));
  co_return getpid();
}

// Asks the parent for work that is one level deeper.
tine::Task<json> nest(int levels) {
  json deepest = co_await rpc.request("nested", levels);
  co_return deepest;
}

[[noreturn]] void hang() {
  for (;;) pause();
}

}  // namespace

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  rpc = tine::Rpc(process);
  rpc.on_request("echo", [](const json& params) { return params; });
  rpc.on_request("pid", [] { return getpid(); });
  rpc.on_request("sleep", sleep_for);
  rpc.on_request("nest", nest);
  rpc.on_request("exit", [](int code) { std::_Exit(code); });
  rpc.on_request("crash", [](const std::string& last_words) {
    std::cerr << last_words << std::endl;
    raise(SIGKILL);
  });
  rpc.on_request("hang", [] { hang(); });
  rpc.on_request("fail", [](const std::string& text) { throw tine::RpcError(7, text); });
  rpc.on_request("grow", [kept = std::string()](std::size_t bytes) mutable {
    kept.assign(bytes, 'x');
    return getpid();
  });
  rpc.on_request("work", [](int steps, const tine::Reply& reply) {
    for (int step = 1; step <= steps; ++step) reply.progress(step);
    reply.send(steps);
  });
  loop.run();
}
