// What travels beside a message: a server, a connection, a datagram socket, or any descriptors.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "tine/datagram.hpp"
#include "tine/server.hpp"
#include "tine/socket.hpp"

namespace tine::process {
class ReceivedHandle;
}

#pragma GCC visibility push(default)

namespace tine {

// Open descriptors of any kind: files, pipes, memfds, directories, pidfds, ... A handle: when the last
// copy goes, those that nobody has taken out are closed.
//
// Node: none. They travel only between two ends that are both tine.
class Descriptors {
 public:
  Descriptors() = default;
  // Takes them over; each must be open.
  explicit Descriptors(std::vector<int> open);

  // False: there are none.
  explicit operator bool() const { return size() > 0; }
  std::size_t size() const;

  // To be looked at; -1 if it was taken out. Throws std::out_of_range.
  int get(std::size_t index) const;
  // Takes one out, which is the caller's to close from then on.
  [[nodiscard]] int release(std::size_t index);

 private:
  class [[gnu::visibility("hidden")]] Owned;

  std::shared_ptr<Owned> owned_;
};

// What is sent with a message, and what a "message" listener gets as its second argument:
//
//   child.send("connection", socket);
//   process.on<"message">([](const nlohmann::json&, tine::Handle handle) {
//     if (tine::Socket socket = handle.socket()) socket.end("Hello");
//   });
//
// A handle to whatever it is: copy it, keep it, drop it. One that came is closed when the last copy
// goes, unless somebody has asked for what it is: that lives on as if it had been made here. Use it on
// the thread of its loop.
//
// Node: sendHandle. There what nobody takes stays open.
class Handle {
 public:
  Handle() = default;
  Handle(Server server) : handle_(std::move(server)) {}
  Handle(Socket socket) : handle_(std::move(socket)) {}
  Handle(Datagram socket) : handle_(std::move(socket)) {}
  Handle(Descriptors descriptors) : handle_(std::move(descriptors)) {}

  // False: nothing came beside the message.
  explicit operator bool() const { return handle_.index() != 0; }

  // Each is empty if it is something else. A server that came starts to listen, a datagram socket to
  // receive; a connection is read from when there is a "data" listener. Throws Error if the system does
  // not let it.
  Server server() const;
  Socket socket() const;
  Datagram datagram() const;
  Descriptors descriptors() const;

 private:
  friend class process::ReceivedHandle;
  using Received = std::shared_ptr<process::ReceivedHandle>;
  explicit Handle(Received received) : handle_(std::move(received)) {}

  std::variant<std::monostate, Server, Socket, Datagram, Descriptors, Received> handle_;
};

}  // namespace tine

#pragma GCC visibility pop
