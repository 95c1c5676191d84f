// The parent on a library of message sockets. Each message is JSON text by nlohmann/json: dump() to
// send, parse() to receive. A Socket has
//
//   static Socket listen(url), dial(url)
//   void send(std::string_view)                  waits while its queue is full
//   std::optional<json> receive(Wait)            nullopt: no message has come
//   static void wait(std::vector<Socket>&)       waits until one of them has a message
//
// The empty message, which is not JSON, ends the child, because a socket does not notice that its
// peer has gone.
#pragma once

#include <string>
#include <vector>

#include <unistd.h>

#include "sockets/wait.hpp"
#include "spawn.hpp"
#include "work.hpp"

namespace bench {

template <class Socket>
class SocketParent {
 public:
  explicit SocketParent(Job job) : work_(std::move(job)) {}

  void run() {
    for (std::size_t i = 0; i < work_.job().children; ++i) start(i);
    while (!over_) turn();
    for (auto& socket : sockets_) socket.send("");
    for (const int pid : pids_) wait_for(pid);
    work_.report();
  }

 private:
  void start(std::size_t i) {
    const auto url = Socket::url(std::to_string(getpid()) + "-" + std::to_string(i));
    auto command = work_.job().command();
    command.push_back(url);
    sockets_.push_back(Socket::listen(url));

    work_.fork_begins();
    pids_.push_back(spawn(command));
    work_.forked(pids_.back());

    sockets_.back().send(work_.greeting().dump());
  }

  void turn() {
    Socket::wait(sockets_);
    for (std::size_t i = 0; i < sockets_.size() && !over_; ++i) {
      while (!over_ && sockets_[i].receive(Wait::no)) received(i);
    }
  }

  void received(std::size_t i) {
    switch (work_.received(i)) {
      case Next::wait: break;
      case Next::send: send_more(i); break;
      case Next::send_to_all:
        for (std::size_t j = 0; j < sockets_.size(); ++j) send_more(j);
        break;
      case Next::end: over_ = true;
    }
  }

  void send_more(std::size_t i) {
    while (work_.may_send(i)) {
      work_.send_next(i, [&](const json& message) { sockets_[i].send(message.dump()); });
    }
  }

  Work work_;
  std::vector<Socket> sockets_;
  std::vector<int> pids_;
  bool over_ = false;
};

}  // namespace bench
