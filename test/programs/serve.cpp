// Answers on each connection that it is handed, or accepts from a server that it is handed, with "served",
// and ends it, unless the message says "write". Tells how many descriptors it has open when asked for
// "descriptors". Asked for {"handles": COUNT}, it hands its parent that many connections at once.
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

#include <sys/socket.h>

#include <tine/tine.hpp>

namespace {

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator open("/proc/self/fd");
  return std::distance(begin(open), end(open)) - 1;  // that of the count itself
}

void serve(tine::Socket socket) {
  socket.on<"error">([](const tine::Error&) {});  // a client that goes away
  socket.end("served");
}

void hand_over(tine::Loop& loop, tine::Process& process, int count) {
  for (int i = 0; i < count; ++i) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) std::abort();
    serve(tine::Socket::adopt(loop, ends[0]));
    process.send(i, tine::Socket::adopt(loop, ends[1]));
  }
}

}  // namespace

int main() {
  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&](const nlohmann::json& message, const tine::Handle& handle) {
    tine::Socket socket = handle.socket();
    if (socket && message == "write") {
      socket.write("served");
    } else if (socket) {
      serve(socket);
    }
    if (tine::Server server = handle.server()) server.on<"connection">(serve);
    if (message == "descriptors") process.send(open_descriptors());
    if (message.is_object()) hand_over(loop, process, message["handles"]);
  });
  loop.run();
}
