// Helpers for the tests of servers, sockets and datagrams.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "net/bound_socket.hpp"
#include "net/listener_source.hpp"
#include "net/streams.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/test_loop.hpp"
#include "tine/tine.hpp"
#include "uv/loop_core.hpp"

// A log of an emitter's events, with their data, their errors and the results of callbacks.
struct Watch {
  template <tine::EventName Name, class E>
  void log_events(E emitter) {
    emitter.template on<Name>([this] { log.emplace_back(Name.view()); });
  }
  template <class E>
  void errors_of(E emitter) {
    emitter.template on<"error">([this](const tine::Error& error) {
      log.emplace_back("error");
      errors.push_back(error.code());
      texts.emplace_back(error.what());
    });
  }
  void follow(tine::Server server) {
    log_events<"listening">(server);
    log_events<"close">(server);
    errors_of(server);
  }
  void follow(tine::Socket socket) {
    log_events<"connect">(socket);
    log_events<"end">(socket);
    log_events<"drain">(socket);
    log_events<"timeout">(socket);
    log_events<"close">(socket);
    errors_of(socket);
    socket.on<"data">([this](std::string_view bytes) { data += bytes; });
  }
  void follow(tine::Datagram socket) {
    log_events<"listening">(socket);
    log_events<"connect">(socket);
    log_events<"close">(socket);
    errors_of(socket);
  }
  std::function<void(std::error_code)> result(const std::string& name) {
    return [this, name](std::error_code error) {
      log.push_back(name);
      results.push_back(error);
    };
  }

  Log log;
  std::string data;
  std::vector<std::error_code> errors;
  std::vector<std::string> texts;
  std::vector<std::error_code> results;
};

// Returns the code of the Error that a call throws, or no error.
template <class Call>
std::error_code error_of(const Call& call) {
  try {
    call();
  } catch (const tine::Error& error) {
    return error.code();
  }
  return {};
}

// Returns a server that listens at a free port of the loopback.
inline tine::Server loopback_server(tine::Loop& loop) {
  tine::Server server(loop);
  server.listen({.host = "127.0.0.1"});
  return server;
}

inline tine::ConnectOptions port_of(const tine::Server& server) {
  const tine::Address address = server.address().value();
  return {.host = address.host, .port = address.port};
}

inline tine::Socket connect_to(tine::Loop& loop, const tine::Server& server) {
  tine::Socket socket(loop);
  socket.connect(port_of(server));
  return socket;
}

// Returns a socket that is bound to a free port of the loopback, but does not listen.
inline tine::base::Descriptor bound_to_loopback() {
  return tine::net::bound_socket(*tine::net::ip_address("127.0.0.1", 0), {.type = SOCK_STREAM});
}

// Returns both ends of a connection that no server has accepted.
inline std::pair<tine::base::Descriptor, tine::base::Descriptor> connected_pair() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {tine::base::Descriptor(ends[0]), tine::base::Descriptor(ends[1])};
}

// A source that answers each query with the result of a function, on a later turn. It keeps the
// queries.
class FakeSource final : public tine::net::ListenerSource {
 public:
  // A lease that sets a flag when it ends.
  struct Lease {
    explicit Lease(bool& over) : ended(over) {}
    ~Lease() { ended = true; }
    bool& ended;
  };

  FakeSource(tine::Loop& loop, std::function<tine::net::ListenerAnswer()> answer)
      : core_(tine::core_of(loop)), answer_(std::move(answer)) {}

  void find(const tine::net::ListenerQuery& query, std::weak_ptr<tine::net::ListenerUser> user,
            Answered answered) override {
    queries.push_back(query);
    users.push_back(std::move(user));
    core_.defer([this, answered = std::move(answered)] {
      tine::net::ListenerAnswer answer = answer_();
      answer.lease = std::make_shared<Lease>(lease_ended);
      answered(std::move(answer));
    });
  }

  std::vector<tine::net::ListenerQuery> queries;
  std::vector<std::weak_ptr<tine::net::ListenerUser>> users;
  bool lease_ended = false;

 private:
  tine::uv::LoopCore& core_;
  std::function<tine::net::ListenerAnswer()> answer_;
};

inline std::shared_ptr<FakeSource> install_source(
    TestLoop& loop, std::function<tine::net::ListenerAnswer()> answer) {
  const auto source = std::make_shared<FakeSource>(loop, std::move(answer));
  tine::core_of(loop).add_extension(source);
  return source;
}
