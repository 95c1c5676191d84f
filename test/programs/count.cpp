// Counts messages {"number": n} that must come in order, and tells the count when it is
// disconnected, by its exit code: 0 if all COUNT came.
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
