// A child that takes messages and never answers.
#include <tine/tine.hpp>

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([] {});
  loop.run();
}
