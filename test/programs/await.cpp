// Waits for a message with the key "go", sends it back, and ends.
#include <tine/tine.hpp>

int main() {
  using nlohmann::json;
  tine::Loop loop;
  tine::Process process(loop);
  tine::wait_for_message(loop, process,
                         {.filter = [](const json& message) { return message.contains("go"); }},
                         [&](std::error_code, const json& message) { process.send(message); });
  loop.run();
}
