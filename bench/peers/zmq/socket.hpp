// ZeroMQ's PAIR sockets over a Unix socket. The queues have the default length, 1 000 messages.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <zmq.h>

#include <nlohmann/json.hpp>

#include "sockets/wait.hpp"

namespace bench {

class ZmqSocket {
 public:
  static std::string url(const std::string& name) { return "ipc://@tine-bench-" + name; }

  static ZmqSocket listen(const std::string& url) {
    ZmqSocket socket;
    check(zmq_bind(socket.socket_.get(), url.c_str()));
    return socket;
  }
  static ZmqSocket dial(const std::string& url) {
    ZmqSocket socket;
    check(zmq_connect(socket.socket_.get(), url.c_str()));
    return socket;
  }

  void send(std::string_view text) { check(zmq_send(socket_.get(), text.data(), text.size(), 0)); }

  // Returns nullopt for the empty message too, which ends the child.
  std::optional<nlohmann::json> receive(Wait wait) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    std::optional<nlohmann::json> value;
    const int size = zmq_msg_recv(&message, socket_.get(), wait == Wait::yes ? 0 : ZMQ_DONTWAIT);
    if (size < 0 && zmq_errno() != EAGAIN) check(size);
    if (size > 0) {
      const char* text = static_cast<const char*>(zmq_msg_data(&message));
      value = nlohmann::json::parse(text, text + size);
    }
    zmq_msg_close(&message);
    return value;
  }

  static void wait(std::vector<ZmqSocket>& sockets) {
    std::vector<zmq_pollitem_t> items;
    for (auto& socket : sockets) items.push_back({socket.socket_.get(), 0, ZMQ_POLLIN, 0});
    check(zmq_poll(items.data(), static_cast<int>(items.size()), -1));
  }

 private:
  static void check(int status) {
    if (status < 0) throw std::runtime_error(zmq_strerror(zmq_errno()));
  }

  static void* context() {
    static const std::unique_ptr<void, int (*)(void*)> one(zmq_ctx_new(), zmq_ctx_term);
    return one.get();
  }

  std::unique_ptr<void, int (*)(void*)> socket_{zmq_socket(context(), ZMQ_PAIR), zmq_close};
};

}  // namespace bench
