// Sends back each message.
#include <tine/tine.hpp>

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&](const nlohmann::json& message) { process.send(message); });
  loop.run();
}
