// A lambda that is not mutable may use all functions of the handles that it captures.
#include <string_view>

#include <tine/tine.hpp>

void send(tine::ChildProcess child, tine::Worker worker, tine::Timer timer) {
  child.on<"message">([=] {
    child.send("Hello");
    child.send(tine::Text{"1"});
    child.channel().pause();
    child.once<"exit">([] {});
    worker.send("Hello");
    worker.disconnect();
    timer.cancel();
    child.in().end("last");
    child.kill();
  });
}

void serve(tine::Server server, tine::Datagram datagram) {
  server.on<"connection">([=](tine::Socket socket) {
    socket.on<"data">([=](std::string_view bytes) {
      socket.write(bytes);
      socket.end();
      server.close();
    });
  });
  datagram.on<"message">([=](std::string_view bytes, const tine::Address& from) {
    datagram.send(bytes, from);
    datagram.close();
  });
}

void copy(const tine::Descriptors& open) {
  const auto release = [open] { return open.release(0); };
  static_cast<void>(release());
}
