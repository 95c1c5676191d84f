// Receives messages {"number": n}. The exit code is 0 if at least COUNT messages came, in order and
// whole, and one "disconnect" after them.
#include <cstdlib>

#include <tine/tine.hpp>

int main(int, char** argv) {
  const int least = std::atoi(argv[1]);
  int received = 0;
  int disconnects = 0;
  bool good = true;

  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&](const nlohmann::json& message) {
    good = good && disconnects == 0 && message["number"] == received;
    ++received;
  });
  process.on<"error">([&](const tine::Error&) { good = false; });
  process.on<"disconnect">([&] { ++disconnects; });
  loop.run();
  return good && received >= least && disconnects == 1 ? 0 : 1;
}
