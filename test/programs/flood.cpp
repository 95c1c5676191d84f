// Sends COUNT messages of about 1 KB, then ends as its second argument says:
//
//   exit        by Process::exit(0)
//   disconnect  by itself, after disconnect()
//   idle        when it is disconnected
//   at-once     by _Exit(0), with only the messages that the kernel has taken by then
//
// Without a second argument it ends by itself. A third argument is the flush_timeout in
// milliseconds.
#include <cstdlib>
#include <string>

#include <tine/tine.hpp>

int main(int argc, char** argv) {
  const int count = std::atoi(argv[1]);
  const std::string end = argc > 2 ? argv[2] : "";

  tine::Loop loop;
  tine::ChannelOptions options;
  if (argc > 3) options.flush_timeout = std::chrono::milliseconds(std::atoi(argv[3]));
  tine::Process process(loop, options);
  process.on<"error">([](const tine::Error&) { std::_Exit(2); });  // a message could not be sent
  const std::string text(1000, 'x');
  for (int i = 0; i < count; ++i) process.send({{"number", i}, {"text", text}});
  if (end == "exit") process.exit(0);
  if (end == "at-once") std::_Exit(0);
  if (end == "disconnect") process.disconnect();
  if (end == "idle") process.on<"disconnect">([] {});
  loop.run();
}
