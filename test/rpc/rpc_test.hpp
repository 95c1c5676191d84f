// Helpers for the tests of requests.
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <tine/tine.hpp>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;
using tine::Errc;

// The result of a request. It must come once.
template <class T = json>
class Came {
 public:
  // Returns the callback for then(). It calls `after`, if that is given.
  auto callback(std::function<void()> after = {}) {
    return [this, after](tine::Result<T> result) {
      CHECK_FALSE(result_);
      result_.emplace(std::move(result));
      if (after) after();
    };
  }

  bool has_come() const { return result_.has_value(); }
  const tine::Result<T>& result() const {
    REQUIRE(result_);
    return *result_;
  }
  const T& value() const {
    if (!result()) FAIL(result().error().what());
    return *result();
  }
  const tine::RpcError& error() const {
    REQUIRE_FALSE(result());
    return result().error();
  }

 private:
  std::optional<tine::Result<T>> result_;
};

// Waits until a child is dead and reaped, although its loop is gone.
inline void await_reaped(int pid) {
  while (::kill(pid, 0) == 0) std::this_thread::yield();
}

// Options for tests of the exit status, which a busy machine tells late.
inline tine::RpcOptions patient() {
  tine::RpcOptions options;
  options.exit_patience = std::chrono::seconds(30);
  return options;
}

// A child that runs test/programs/requests, and the requests to it.
struct Asked {
  explicit Asked(TestLoop& loop, std::vector<std::string> args = {},
                 tine::RpcOptions options = patient())
      : child(loop.fork("requests", {.args = std::move(args)})), rpc(child, options) {
    rpc.on_request(
        "add", [](const json& params) { return params["a"].get<int>() + params["b"].get<int>(); });
  }

  // Disconnects once a request that is made now is answered: those before are answered by then.
  void end() {
    rpc.request("echo").then([child = child] { child.disconnect(); });
  }

  std::function<void()> disconnect() {
    return [child = child] { child.disconnect(); };
  }

  tine::ChildProcess child;
  tine::Rpc rpc;
};
