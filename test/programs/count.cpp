// Counts messages {"number": n}, which must come in order, until it is disconnected. The exit code
// is 0 if COUNT messages came, else 1.
#include <cstdlib>

#include <tine/tine.hpp>

int main(int, char** argv) {
  const int expected = std::atoi(argv[1]);
  int count = 0;

  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&](const nlohmann::json& message) {
    if (message["number"] == count) ++count;
  });
  loop.run();
  return count == expected ? 0 : 1;
}
