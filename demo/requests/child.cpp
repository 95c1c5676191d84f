// The child of the requests demo. Any parent that speaks JSON-RPC 2.0 can run it.
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>

#include <tine/tine.hpp>

namespace {

std::string greet(const std::string& greeting) {
  std::cout << "[Child] Child doing some intense work" << std::endl;
  if (greeting != "Hello") throw std::runtime_error("what?");
  return "Hello to you too :)";
}

// Ends early when the parent gives the request up.
tine::Task<std::string> work(int milliseconds) {
  co_await tine::sleep(std::chrono::milliseconds(milliseconds));
  co_return "done";
}

}  // namespace

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  tine::Rpc rpc(process);
  std::cout << "[Child] initalize" << std::endl;

  rpc.on_request("greet", greet);
  rpc.on_request("work", work);

  loop.run();
}
