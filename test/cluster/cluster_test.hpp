// Helpers for the tests of the cluster.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/test_loop.hpp"
#include "tine/tine.hpp"

using nlohmann::json;

// A primary whose workers run test/programs/worker, and its clients.
struct TestCluster {
  explicit TestCluster(tine::Balancing balancing = tine::Balancing::round_robin()) : cluster(loop) {
    cluster.setup_primary({.exec = test_program("worker"), .balancing = balancing});
    cluster.on<"message">([this](tine::Worker worker, const json& message) {
      messages.push_back(message);
      if (on_message) on_message(worker, message);
    });
  }

  tine::Worker fork() {
    workers.push_back(cluster.fork());
    return workers.back();
  }

  // Forks workers, waits until all of them listen, and sets `port` to their port, or to 0 if they
  // have none.
  void listen(int count, const json& how = {{"host", "127.0.0.1"}}) {
    for (int i = 0; i < count; ++i) fork().send({{"listen", how}});
    wait_for_messages(static_cast<std::size_t>(count));
    for (const json& message : messages) {
      INFO(message.dump());
      REQUIRE(message.contains("listening"));
      port = message["listening"];
    }
    messages.clear();
  }

  // Runs the loop until `messages` has that many messages of workers.
  void wait_for_messages(std::size_t count) {
    const auto stop = [this, count](const tine::Worker&, const json&) {
      if (messages.size() >= count) loop->stop();
    };
    const auto before = std::exchange(on_message, stop);
    while (messages.size() < count) {
      loop.run();
      // Otherwise no worker is left that could send a message.
      REQUIRE((messages.size() >= count || !cluster.workers().empty()));
    }
    on_message = before;
  }

  // Connects, and calls `done` with all bytes that were received when the connection is closed.
  void connect(const std::function<void(const std::string&)>& done,
               const tine::ConnectOptions& to) {
    tine::Socket client(loop);
    const auto answer = std::make_shared<std::string>();
    client.on<"data">([answer](std::string_view bytes) { *answer += bytes; });
    client.on<"error">([](const tine::Error&) {});
    client.on<"close">([answer, done] { done(*answer); });
    client.connect(to);
  }
  void connect(const std::function<void(const std::string&)>& done) {
    connect(done, {.host = "127.0.0.1", .port = port});
  }

  // Returns the answer to one connection.
  std::string ask(const tine::ConnectOptions& to) {
    std::string answer;
    connect(
        [&](const std::string& text) {
          answer = text;
          loop->stop();
        },
        to);
    loop.run();
    return answer;
  }
  std::string ask() { return ask({.host = "127.0.0.1", .port = port}); }

  // Makes `count` connections, one after the other. Returns how many of them each worker answered.
  std::map<std::string, int> ask_often(int count) {
    std::map<std::string, int> answers;
    for (int i = 0; i < count; ++i) ++answers[ask()];
    return answers;
  }

  // Disconnects all workers and waits for their end.
  void end() {
    cluster.disconnect();
    loop.run();
    CHECK(cluster.workers().empty());
  }

  TestLoop loop;
  tine::Cluster cluster;
  std::vector<tine::Worker> workers;
  std::vector<json> messages;
  std::function<void(const tine::Worker&, const json&)> on_message;
  std::uint16_t port = 0;
};
