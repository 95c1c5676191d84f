#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "process/received_handle.hpp"
#include "tine/datagram.hpp"
#include "tine/handle.hpp"
#include "tine/server.hpp"
#include "tine/shared_buffer.hpp"
#include "tine/socket.hpp"

namespace tine::process {

// What a Handle holds: an object of this process, or what was received with a message.
class HandleContent {
 public:
  using Received = std::shared_ptr<ReceivedHandle>;
  using Object = std::variant<Server, Socket, Datagram, SharedBuffer, Descriptors, Received>;

  explicit HandleContent(Object object) : object_(std::move(object)) {}

  static Handle handle(Received received) {
    return Handle(std::make_shared<const HandleContent>(std::move(received)));
  }

  // Returns the object if it is of this type; null otherwise.
  template <class T>
  static const T* get(const Handle& handle) {
    return handle.content_ ? std::get_if<T>(&handle.content_->object_) : nullptr;
  }

  // Returns what was received if its object was not asked for yet; null otherwise.
  static ReceivedHandle* untouched(const Handle& handle) {
    const Received* const received = get<Received>(handle);
    return received != nullptr && (*received)->untouched() ? received->get() : nullptr;
  }

 private:
  Object object_;
};

}  // namespace tine::process
