// A supervisor of a child "echo" whose heartbeat has a deadline of two seconds. Sends the pid of the
// child when it is ready, and "hung" and "exit" if these events come. Sends back each message.
#include <string>

#include <tine/tine.hpp>

using namespace std::chrono_literals;

int main(int, char** argv) {
  tine::Loop loop;
  tine::Process process(loop);
  const tine::Supervisor supervisor(loop);
  supervisor.add({.name = "echo", .module = argv[1], .heartbeat = {.every = 10ms, .deadline = 2s}});
  supervisor.on<"ready">([&](const std::string&, const tine::ChildProcess& child) {
    process.send(child.pid().value());
  });
  supervisor.on<"hung">([&] { process.send("hung"); });
  supervisor.on<"exit">([&] { process.send("exit"); });
  process.on<"message">([&](const nlohmann::json& message) { process.send(message); });
  process.on<"disconnect">([&] { supervisor.stop(); });
  supervisor.start();
  loop.run();
}
