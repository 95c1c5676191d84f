// Work that goes on for a long time must not become more expensive, and must do nothing needless.
#include <chrono>
#include <cstddef>

#include <tine/tine.hpp>

#include "support/catch.hpp"
#include "support/test_loop.hpp"
#include "wire/heap.hpp"

using namespace std::chrono_literals;

namespace {

// Keeps some messages on their way to a child that sends them back. Returns how many allocations
// this process makes for the later ones.
std::size_t allocations_of_echo(TestLoop& loop, std::size_t messages) {
  const std::size_t warm = messages / 5;
  constexpr std::size_t on_their_way = 50;
  auto child = loop.fork("echo");
  nlohmann::json message{{"n", 1},
                         {"text", "a text that does not fit into the string object itself"},
                         {"list", {1, 2.5, nullptr, true}},
                         {"point", {{"x", -1}, {"y", 1e300}}}};
  std::size_t came = 0;
  std::size_t before = 0;
  std::size_t after = 0;
  child.on<"message">([&](const nlohmann::json& echo) {
    ++came;
    if (echo != message) FAIL("the echo is another one");
    if (came == warm) before = heap::allocations();
    if (came == messages) after = heap::allocations();
    if (came + on_their_way <= messages) child.send(message);
    if (came == messages) child.disconnect();
  });
  for (std::size_t i = 0; i < on_their_way; ++i) child.send(message);
  loop.run();
  return after - before;
}

}  // namespace

TEST_CASE("child process: messages of the same shape are sent and received without allocations",
          "[process]") {
  TestLoop loop;
  constexpr std::size_t messages = 5000;
  CHECK(allocations_of_echo(loop, messages) < messages / 20);  // a few for each read
}

TEST_CASE("child process: a loop that spins exchanges messages as other loops do", "[process]") {
  TestLoop loop;
  loop->spin(50us);
  allocations_of_echo(loop, 2000);
}
