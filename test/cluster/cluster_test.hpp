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
      said.push_back(message);
      if (on_said) on_said(worker, message);
    });
  }

  tine::Worker fork() {
    workers.push_back(cluster.fork());
    return workers.back();
  }

  // Forks workers, waits until all of them listen, and sets `port` to their port; 0 if they have
  // none.
  void listen(int count, const json& how = {{"host", "127.0.0.1"}}) {
    for (int i = 0; i < count; ++i) fork().send({{"listen", how}});
    until_said(static_cast<std::size_t>(count));
    for (const json& message : said) {
      INFO(message.dump());
      REQUIRE(message.contains("listening"));
      port = message["listening"];
    }
    said.clear();
  }

  // Runs the loop until `said` has that many messages of workers.
  void until_said(std::size_t count) {
    const auto stop = [this, count](const tine::Worker&, const json&) {
      if (said.size() >= count) loop->stop();
    };
    const auto before = std::exchange(on_said, stop);
    while (said.size() < count) {
      loop.run();
      REQUIRE((said.size() >= count || !cluster.workers().empty()));  // a worker is left to say it
    }
    on_said = before;
  }

  // Connects, and calls `done` with all that was received when the connection is closed.
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
  std::vector<json> said;
  std::function<void(const tine::Worker&, const json&)> on_said;
  std::uint16_t port = 0;
};
