// The child on a library of message sockets. parent.hpp says what a Socket has.
#pragma once

#include "child_task.hpp"
#include "sockets/wait.hpp"

namespace bench {

template <class Socket>
void run_socket_child(int argc, char** argv) {
  ChildTask task(argc, argv);
  auto socket = Socket::dial(argv[argc - 1]);
  while (const auto message = socket.receive(Wait::yes)) {
    if (task.received()) socket.send(message->dump());
  }
}

}  // namespace bench
