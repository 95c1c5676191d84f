// Sends COUNT messages {"number": n} of about 1 KB before it reads any, then receives as many. Ends
// when its channel is closed, with exit code 0 if all messages came in order. It does not matter if
// messages could not be sent.
#include <cstdlib>
#include <string>

#include <tine/tine.hpp>

int main(int, char** argv) {
  const int count = std::atoi(argv[1]);
  int in_order = 0;

  tine::Loop loop;
  tine::Process process(loop);
  const std::string text(1000, 'x');
  for (int i = 0; i < count; ++i) process.send({{"number", i}, {"text", text}});
  process.on<"error">([](const tine::Error&) {});
  process.on<"message">(
      [&](const nlohmann::json& message) { in_order += message["number"] == in_order; });
  loop.run();
  return in_order == count ? 0 : 1;
}
