// nng's PAIR sockets over a Unix socket. By default its queues hold no message. Here they hold as
// many messages as ZeroMQ's, so that they have room for a whole window.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <poll.h>

#include <nlohmann/json.hpp>

#include "sockets/wait.hpp"

namespace bench {

class NngSocket {
 public:
  static std::string url(const std::string& name) { return "abstract://tine-bench-" + name; }

  static NngSocket listen(const std::string& url) {
    NngSocket socket;
    check(nng_listen(socket.socket_, url.c_str(), nullptr, 0));
    return socket;
  }
  static NngSocket dial(const std::string& url) {
    NngSocket socket;
    check(nng_dial(socket.socket_, url.c_str(), nullptr, 0));
    return socket;
  }

  NngSocket(NngSocket&& other) noexcept : socket_(std::exchange(other.socket_, {})) {}
  ~NngSocket() { nng_close(socket_); }

  void send(std::string_view text) {
    check(nng_send(socket_, const_cast<char*>(text.data()), text.size(), 0));
  }

  // Returns nullopt for the empty message too, which ends the child.
  std::optional<nlohmann::json> receive(Wait wait) {
    nng_msg* message = nullptr;
    const int status = nng_recvmsg(socket_, &message, wait == Wait::yes ? 0 : NNG_FLAG_NONBLOCK);
    if (status == NNG_EAGAIN) return std::nullopt;
    check(status);
    const std::unique_ptr<nng_msg, void (*)(nng_msg*)> owner(message, nng_msg_free);
    if (nng_msg_len(message) == 0) return std::nullopt;
    const char* text = static_cast<const char*>(nng_msg_body(message));
    return nlohmann::json::parse(text, text + nng_msg_len(message));
  }

  static void wait(std::vector<NngSocket>& sockets) {
    std::vector<pollfd> polled;
    for (auto& socket : sockets) {
      int descriptor = -1;
      check(nng_socket_get_int(socket.socket_, NNG_OPT_RECVFD, &descriptor));
      polled.push_back({descriptor, POLLIN, 0});
    }
    if (poll(polled.data(), polled.size(), -1) < 0) throw std::runtime_error("poll failed");
  }

 private:
  NngSocket() {
    check(nng_pair0_open(&socket_));
    check(nng_socket_set_int(socket_, NNG_OPT_SENDBUF, 1000));
    check(nng_socket_set_int(socket_, NNG_OPT_RECVBUF, 1000));
    check(nng_socket_set_size(socket_, NNG_OPT_RECVMAXSZ, 0));  // any size
  }

  static void check(int status) {
    if (status != 0) throw std::runtime_error(nng_strerror(status));
  }

  nng_socket socket_ = {};
};

}  // namespace bench
