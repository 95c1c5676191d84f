// A supervisor for tests, and the events that it has emitted.
#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <tine/tine.hpp>

#include "support/catch.hpp"
#include "support/test_loop.hpp"

using Log = std::vector<std::string>;

// A child that runs a program of test/programs.
inline tine::ChildSpec program(const std::string& name, const std::string& file = "echo") {
  tine::ChildSpec spec;
  spec.name = name;
  spec.module = test_program(file);
  return spec;
}

// A child that runs a script of /bin/sh, which has the channel as descriptor 3.
inline tine::ChildSpec script(const std::string& name, const std::string& text) {
  tine::ChildSpec spec;
  spec.name = name;
  spec.module = text;
  spec.fork.exec_path = "/bin/sh";
  spec.fork.exec_args = {"-c"};
  return spec;
}

// A child that runs child.js with these arguments.
inline tine::ChildSpec node(const std::string& name, std::vector<std::string> args) {
  tine::ChildSpec spec;
  spec.name = name;
  spec.module = SUPERVISION_SCRIPTS "/child.js";
  spec.fork.exec_path = "node";
  spec.fork.args = std::move(args);
  return spec;
}

// A supervisor whose events are written to a log. It fails the test if two processes of one child are
// alive at a time, or if "close" does not come once as the last event.
class Supervised {
 public:
  explicit Supervised(TestLoop& loop, tine::SupervisorOptions options = {})
      : supervisor(loop, options) {
    supervisor.on<"start">([this](const std::string& name, const tine::ChildProcess& child) {
      CHECK(child.pid());
      CHECK(alive_[name]++ == 0);
      log.push_back("start " + name);
    });
    supervisor.on<"ready">([this](const std::string& name) { log.push_back("ready " + name); });
    supervisor.on<"hung">([this](const std::string& name) { log.push_back("hung " + name); });
    supervisor.on<"exit">([this](const std::string& name, const tine::ExitStatus& status) {
      --alive_[name];
      log.push_back("exit " + name + " " + to_string(status));
    });
    supervisor.on<"restart">(
        [this](const std::string& name, std::chrono::milliseconds delay, const std::string& why) {
          delays.push_back(delay);
          reasons.push_back(why);
          log.push_back("restart " + name);
        });
    supervisor.on<"close">([this] {
      ++closed_;
      log.push_back("close");
    });
  }
  Supervised(const Supervised&) = delete;
  Supervised& operator=(const Supervised&) = delete;
  ~Supervised() {
    if (std::uncaught_exceptions() > 0) return;
    CHECK(closed_ == 1);
    CHECK((!log.empty() && log.back() == "close"));
  }

  void listen_for_failures() {
    supervisor.on<"failed">([this](const tine::Error& error) {
      CHECK(error.code() == tine::Errc::given_up);
      reasons.push_back(error.what());
      log.push_back("failed");
    });
  }

  // Calls a function at the n-th event of this text.
  void at(const std::string& event, int n, std::function<void()> function) {
    supervisor.on<"start">([=, this] { look(event, n, function); });
    supervisor.on<"ready">([=, this] { look(event, n, function); });
    supervisor.on<"exit">([=, this] { look(event, n, function); });
    supervisor.on<"restart">([=, this] { look(event, n, function); });
  }

  tine::Supervisor supervisor;
  Log log;
  std::vector<std::chrono::milliseconds> delays;
  Log reasons;

 private:
  void look(const std::string& event, int n, const std::function<void()>& function) {
    if (log.back() == event && std::count(log.begin(), log.end(), event) == n) function();
  }

  std::map<std::string, int> alive_;
  int closed_ = 0;
};
