// Prints on stdout whether the channel in its environment works, "connected" or "not connected",
// and the error, if there is one. Also prints a line if a second Process is connected. Then it
// ends.
#include <iostream>

#include <tine/tine.hpp>

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  std::cout << (process.connected() ? "connected" : "not connected") << std::endl;
  process.on<"error">([](const tine::Error& error) { std::cout << error.what() << std::endl; });
  loop.run();

  tine::Process second(loop);
  if (second.connected()) std::cout << "the second is connected" << std::endl;
}
