// Does what messages ask for: "disconnect", "environment" (sends the environment of a program that
// it starts), "directory" (sends its own directory), {"exit": CODE}, {"send": [MESSAGE…]}. Sends
// back all other messages. Sends errors to the parent, and prints "disconnect" on stdout. With an
// argument, it accepts no handles.
#include <cstdio>
#include <iostream>
#include <string>

#include <tine/tine.hpp>

namespace {

std::string environment_of_a_child() {
  std::string output;
  FILE* const env = popen("env", "r");
  for (int c = std::fgetc(env); c != EOF; c = std::fgetc(env)) output += static_cast<char>(c);
  pclose(env);
  return output;
}

}  // namespace

int main(int argc, char**) {
  tine::Loop loop;
  tine::ChannelOptions options;
  if (argc > 1) options.descriptor_limit = 0;
  tine::Process process(loop, options);
  process.on<"error">([&](const tine::Error& error) { process.send({{"error", error.what()}}); });
  process.on<"disconnect">([] { std::cout << "disconnect" << std::endl; });
  process.on<"message">([&](const nlohmann::json& message) {
    if (message == "disconnect") {
      process.disconnect();
    } else if (message == "environment") {
      process.send(environment_of_a_child());
    } else if (message == "directory") {
      process.send(tine::executable_dir().string());
    } else if (message.contains("exit")) {
      process.exit(message["exit"]);
    } else if (message.contains("send")) {
      for (const auto& each : message["send"]) process.send(each);
    } else {
      process.send(message);
    }
  });
  loop.run();
}
