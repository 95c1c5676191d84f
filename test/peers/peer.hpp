// A peer that is no C++ program, as the child of a test.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tine/tine.hpp>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;
using tine::Errc;

// A child, the requests to it, and its messages that are not about requests.
class Peer {
 public:
  Peer(TestLoop& loop, const std::string& script, tine::ForkOptions options)
      : child(tine::fork(loop, script, keeping_none(std::move(options)))), rpc(child), loop_(loop) {
    child.on<"message">([this](const json& message) { messages.push_back(message); });
    child.on<"error">([](const tine::Error& error) { FAIL_CHECK(error.what()); });
  }

  // Sends a request and waits for what comes of it.
  template <class T>
  tine::Result<T> outcome(tine::Request<T> request) {
    std::optional<tine::Result<T>> came;
    std::move(request).then([&](tine::Result<T> result) {
      came.emplace(std::move(result));
      loop_->stop();
    });
    while (!came) loop_.run();
    return *came;
  }

  // The same for a request that has a result, and for one that fails.
  json ask(const std::string& method, const json& params = nullptr) {
    const auto result = outcome(rpc.request(method, params));
    if (!result) FAIL(method << ": " << result.error().what());
    return *result;
  }
  tine::RpcError error(const std::string& method, const json& params = nullptr) {
    const auto result = outcome(rpc.request(method, params));
    REQUIRE_FALSE(result);
    return result.error();
  }

  // Waits until the child has ended.
  tine::ExitStatus wait() {
    loop_.run();
    REQUIRE(child.exit_status());
    return *child.exit_status();
  }

  // Disconnects. The child has nothing else to do, and ends.
  void end() {
    child.disconnect();
    CHECK(wait() == tine::ExitStatus{.code = 0});
  }

  tine::ChildProcess child;
  tine::Rpc rpc;
  std::vector<json> messages;

 private:
  // A failed test leaves no child behind.
  static tine::ForkOptions keeping_none(tine::ForkOptions options) {
    options.kill_with_loop = true;
    return options;
  }

  TestLoop& loop_;
};
