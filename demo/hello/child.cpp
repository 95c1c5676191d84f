// The child of the Hello pair. Any parent that uses the protocol of Node's channel can run it.
#include <iostream>

#include <tine/tine.hpp>

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  std::cout << "[Child] initalize" << std::endl;

  process.on<"message">([&](const nlohmann::json& message) {
    std::cout << "[Child] Child doing some intense work" << std::endl;
    process.send(message == "Hello" ? "Hello to you too :)" : "what?");
  });

  loop.run();
}
