// Writes "served" to each connection that comes with a message, or that a server accepts which came
// with a message. Then it ends the connection, unless the message is "write". Answers "descriptors"
// with the number of its open descriptors, and {"handles": COUNT} with that many connections at
// once.
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>

#include <sys/socket.h>

#include <tine/tine.hpp>

namespace {

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator open("/proc/self/fd");
  return std::distance(begin(open), end(open)) - 1;  // the directory's own is listed too
}

void serve(tine::Socket socket) {
  socket.on<"error">([](const tine::Error&) {});  // because the client may go away
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
