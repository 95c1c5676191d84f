// A worker of the handoff demo: answers on the connections it is handed. Any parent that speaks Node's channel
// can run it.
#include <string>

#include <nlohmann/json.hpp>

#include <tine/tine.hpp>

int main(int, char** argv) {
  const std::string kind = argv[1];
  tine::Loop loop;
  tine::Process process(loop);

  process.on<"message">([&](const nlohmann::json& message, const tine::Handle& handle) {
    if (tine::Socket socket = handle.socket()) {
      socket.end("the " + kind + " worker got " + message["request"].get<std::string>());
    }
  });

  loop.run();
}
