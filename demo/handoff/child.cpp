// A worker of the handoff demo. It answers on the connections that it is handed. Any parent that
// speaks the protocol of Node's channel can run it.
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
