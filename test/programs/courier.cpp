// Sends messages to the program `echo`, disconnects from it, and sends "draining" to its own
// parent. The exit code is 0 if all messages were written, and 1 if it gave up on `echo`. It gives
// up after MILLISECONDS.
#include <cstdlib>
#include <string>

#include <tine/tine.hpp>

int main(int, char** argv) {
  constexpr int count = 300;
  int written = 0;

  tine::Loop loop;
  tine::Process process(loop);
  const tine::ForkOptions options{
      .channel = {.flush_timeout = std::chrono::milliseconds(std::atoi(argv[1]))}};
  auto echo = tine::fork(loop, tine::executable_dir() / "echo", options);
  echo.send("are you there?");
  echo.once<"message">([&] {
    const std::string text(10'000, 'x');
    for (int i = 0; i < count; ++i) {
      echo.send(text, [&](std::error_code error) { written += error ? 0 : 1; });
    }
    echo.disconnect();
    process.send("draining");
  });
  loop.run();
  return written == count ? 0 : 1;
}
