// A child that answers requests, and makes some. The methods are listed below. It sends back all other
// messages, and its errors, unless its first argument is "silent": then it listens for nothing.
//
//   requests [silent|leave] [LIMIT]
//
// LIMIT is its incoming_limit. "leave": it destroys its Process while a request waits for its answer,
// and ends with exit code 0 if the request fails then.
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <tine/tine.hpp>

using namespace std::chrono_literals;

namespace {

using nlohmann::json;

struct Pair {
  int a;
  int b;
};
void from_json(const json& value, Pair& pair) {
  value.at("a").get_to(pair.a);
  value.at("b").get_to(pair.b);
}

class Child {
 public:
  Child(tine::Loop& loop, tine::Process& process, const tine::RpcOptions& options)
      : loop_(loop), process_(process), rpc_(process, options) {
    compute();
    fail();
    keep();
    ask();
    end();
  }

 private:
  void compute() {
    rpc_.on_request("add", [](const Pair& pair) { return pair.a + pair.b; });
    rpc_.on_request("join", [](const std::string& a, const std::string& b) { return a + b; });
    rpc_.on_request("length", [](const std::string& text) { return text.size(); });
    rpc_.on_request("echo", [](json params) { return params; });
    rpc_.on_request("nothing", [] {});
    rpc_.on_request("built",
                    [](int a, int b) { return tine::object("a", a, "rest", tine::args(b)); });
    rpc_.on_request("built in steps", [](const tine::Reply& reply) {
      reply.progress(tine::args(1));
      reply.send(tine::object("a", 1));
    });
    rpc_.on_request("touch", [](const std::string& path) { std::ofstream{path}; });
    rpc_.on_request("beside", [](const json& params, const tine::Reply& reply) {
      reply.send(params, reply.handle());
    });
    // Reports the numbers from 1 to N, then answers with N.
    rpc_.on_request("work", [](int n, const tine::Reply& reply) {
      for (int i = 1; i <= n; ++i) reply.progress(i);
      return n;
    });
    rpc_.on_request("remaining", [](const json&, const tine::Reply& reply) -> json {
      const auto remaining = reply.remaining();
      return remaining ? json(remaining->count()) : json();
    });
    rpc_.on_request("sleep", [](int ms) -> tine::Task<int> {
      co_await tine::sleep(std::chrono::milliseconds(ms));
      co_return ms;
    });
    rpc_.on_request("sleep and throw", [](const std::string& text) -> tine::Task<> {
      co_await tine::sleep(1ms);
      throw tine::RpcError(7, text);
    });
    rpc_.on_notification("log", [this](int n) { logged_ += n; });
    rpc_.on_request("logged", [this] { return logged_; });
  }

  void fail() {
    rpc_.on_request("throw", [] { throw std::runtime_error("thrown"); });
    rpc_.on_request("throw a number", [] { throw 1; });
    rpc_.on_request("fail", [](const json& error) {
      throw tine::RpcError(error.at("code"), error.at("message"), error.at("data"));
    });
    rpc_.on_request("refuse", [] { throw tine::RpcError(tine::Errc::invalid_params, "refused"); });
    rpc_.on_request("drop", [](const json&, const tine::Reply&) {});
    rpc_.on_request("twice", [](const json&, const tine::Reply& reply) {
      reply.send(1);
      reply.send(2);
      reply.fail(tine::RpcError(3, "three"));
    });
    rpc_.on_request("not UTF-8", [] { return "\xFF"; });
  }

  void keep() {
    rpc_.on_request("keep", [this](const json& params, const tine::Reply& reply) {
      kept_.emplace_back(params, reply);
    });
    // Answers all kept requests with their params.
    rpc_.on_request("release", [this] {
      for (const auto& [params, reply] : kept_) reply.send(params);
      kept_.clear();
    });
    rpc_.on_request("kept", [this] { return kept_.size(); });
    // Fails when a stop is requested, and counts that.
    rpc_.on_request("wait", [this](const json&, const tine::Reply& reply) {
      waiting_.emplace_back(reply.stop_token(), [this, reply] {
        ++stops_;
        reply.fail(tine::RpcError(tine::Errc::aborted, "stopped"));
      });
    });
    rpc_.on_request("drop when stopped", [this](const json&, tine::Reply reply) {
      const auto held = std::make_shared<tine::Reply>(reply);
      waiting_.emplace_back(reply.stop_token(), [held] { *held = {}; });
    });
    rpc_.on_request("stops", [this] { return stops_; });
  }

  void ask() {
    rpc_.on_request("descend", [this](int depth, const tine::Reply& reply) {
      if (depth == 0) return reply.send(0);
      rpc_.request("descend", depth - 1).then([reply](const tine::Result<int>& result) {
        result ? reply.send(*result + 1) : reply.fail(result.error());
      });
    });
    // Asks the parent N times to add 1 to a number. Answers with the sum of the results.
    rpc_.on_request("ask", [this](int n, const tine::Reply& reply) {
      struct Sum {
        tine::Reply reply;
        int left;
        int sum = 0;
      };
      const auto sum = std::make_shared<Sum>(Sum{reply, n});
      for (int i = 0; i < n; ++i) {
        rpc_.request("add", {{"a", i}, {"b", 1}}).then([sum](const tine::Result<int>& result) {
          sum->sum += result.value();
          if (--sum->left == 0) sum->reply.send(sum->sum);
        });
      }
    });
    // Asks the parent N times at once. Answers with N when each request has got its own answer, or
    // fails when one has got another's, or a second one.
    rpc_.on_request("ask each", [this](int n, const tine::Reply& reply) {
      const auto came = std::make_shared<std::vector<bool>>(static_cast<std::size_t>(n));
      const auto left = std::make_shared<int>(n);
      for (int i = 0; i < n; ++i) {
        rpc_.request("add", {{"a", i}, {"b", 1}}).then([=](const tine::Result<int>& result) {
          const auto place = static_cast<std::size_t>(i);
          if (result.value() != i + 1 || came->at(place)) {
            reply.fail(tine::RpcError(1, "a wrong answer"));
          }
          came->at(place) = true;
          if (--*left == 0) reply.send(n);
        });
      }
    });
    rpc_.on_request("ping", [this](const json&, const tine::Reply& reply) {
      rpc_.ping().then([reply](const tine::Result<std::chrono::microseconds>& result) {
        reply.send(result ? result->count() : -1);
      });
    });
    // Makes a request, and sends a message that says what comes of it.
    rpc_.on_notification("request", [this](const std::string& method) {
      rpc_.request(method).then([this](const tine::Result<>& result) {
        process_.send(result ? json{{"result", *result}} : json{{"error", result.error().what()}});
      });
    });
    // Ends with exit code 3 when its request fails because the channel has ended.
    rpc_.on_notification("outlive", [this] {
      rpc_.request("anything").then([](const tine::Result<>& result) {
        std::exit(!result && result.error().code() == tine::Errc::channel_closed ? 3 : 4);
      });
    });
  }

  void end() {
    rpc_.on_notification("exit", [this](int code) { process_.exit(code); });
    rpc_.on_notification("die", [] { std::raise(SIGKILL); });
    rpc_.on_notification("disconnect", [this] { process_.disconnect(); });
    // Disconnects, and lives on until a signal ends it.
    rpc_.on_notification("live on", [this] {
      loop_.ref();
      process_.disconnect();
    });
    // Ends with exit code 5 if a stop is requested when the channel has ended, and answering then does
    // nothing.
    rpc_.on_request("outlast", [this](const json&, const tine::Reply& reply) {
      loop_.ref();
      waiting_.emplace_back(reply.stop_token(), [reply] {
        reply.send("late");
        std::exit(reply.progress(1) ? 6 : 5);
      });
    });
  }

  tine::Loop& loop_;
  tine::Process& process_;
  tine::Rpc rpc_;
  int logged_ = 0;
  int stops_ = 0;
  std::list<std::pair<json, tine::Reply>> kept_;
  std::list<std::stop_callback<std::function<void()>>> waiting_;
};

int leave(tine::Loop& loop) {
  int code = 1;
  std::optional<tine::Process> process(std::in_place, loop);
  const tine::Rpc rpc(*process);
  rpc.request("anything").then([&](const tine::Result<>& result) {
    if (!result && result.error().code() == tine::Errc::channel_closed) code = 0;
  });
  process.reset();
  loop.run();
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  tine::Loop loop;
  if (mode == "leave") return leave(loop);
  tine::Process process(loop);
  tine::RpcOptions options;
  if (argc > 2) options.incoming_limit = static_cast<std::size_t>(std::atoi(argv[2]));
  const Child child(loop, process, options);
  if (mode != "silent") {
    process.on<"error">([&](const tine::Error& error) {
      if (process.connected()) process.send({{"error", error.code().message()}});
    });
    process.on<"message">([&](const json& message, const tine::Handle& handle) {
      handle ? process.send(message, handle) : process.send(message);
    });
  }
  loop.run();
}
