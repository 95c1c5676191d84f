// What can be sent with a message: a server, a connection, a datagram socket, a shared buffer, or
// any descriptors.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "tine/detail/export.hpp"

namespace tine::process {
class HandleContent;
}

namespace tine {

class Datagram;
class Server;
class SharedBuffer;
class Socket;

// Open descriptors of any kind: files, pipes, memfds, directories, pidfds, ... All copies share
// them; when the last copy is destroyed, the descriptors that were not released are closed.
//
// Node: none. They can be sent only if both ends are tine.
class TINE_EXPORT Descriptors {
 public:
  Descriptors() = default;
  // Takes ownership of the descriptors; each must be open.
  explicit Descriptors(std::vector<int> open);

  // False if there are no descriptors.
  explicit operator bool() const { return size() > 0; }
  std::size_t size() const;

  // Returns a descriptor that stays owned here; -1 if it was released. Throws std::out_of_range.
  int get(std::size_t index) const;
  // Gives up a descriptor: the caller has to close it. Throws std::out_of_range.
  [[nodiscard]] int release(std::size_t index) const;

 private:
  class [[gnu::visibility("hidden")]] Owned;

  std::shared_ptr<Owned> owned_;
};

// An object sent with a message. A "message" listener gets it as its second argument:
//
//   child.send("connection", socket);
//   process.on<"message">([](const nlohmann::json&, tine::Handle handle) {
//     if (tine::Socket socket = handle.socket()) socket.end("Hello");
//   });
//
// All copies refer to the same object. A received object is closed when the last copy is destroyed,
// unless server(), socket() or datagram() was called for it: it then lives on as if it had been
// created here. Use a Handle on the thread of its loop.
//
// Node: sendHandle. In Node a received handle that nobody takes stays open.
class TINE_EXPORT Handle {
 public:
  Handle() = default;
  Handle(Server server);
  Handle(Socket socket);
  Handle(Datagram socket);
  Handle(SharedBuffer buffer);
  Handle(Descriptors descriptors);

  // False if nothing was sent with the message.
  explicit operator bool() const { return content_ != nullptr; }

  // Each returns an empty handle if the object is of another kind. A received server starts to
  // listen and a received datagram socket starts to receive; a received connection is read once
  // there is a "data" listener. Throws Error if the system refuses. To use the object, include its
  // header, such as tine/socket.hpp.
  Server server() const;
  Socket socket() const;
  Datagram datagram() const;
  SharedBuffer shared_buffer() const;
  Descriptors descriptors() const;

  // The same as shared_buffer(), for a listener that takes a SharedBuffer instead of a Handle.
  operator SharedBuffer() const;

 private:
  friend class process::HandleContent;
  explicit Handle(std::shared_ptr<const process::HandleContent> content)
      : content_(std::move(content)) {}

  std::shared_ptr<const process::HandleContent> content_;
};

}  // namespace tine
