// Every form that a request, its callback and a handler may have.
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <tuple>
#include <vector>

#include <tine/tine.hpp>

namespace {

using namespace std::chrono_literals;

struct Point {
  int x = 0;
  int y = 0;
};

void from_json(const nlohmann::json& value, Point& point) {
  value.at("x").get_to(point.x);
  value.at("y").get_to(point.y);
}

void to_json(nlohmann::json& value, const Point& point) {
  value = {{"x", point.x}, {"y", point.y}};
}

struct Overloaded {
  void operator()(const nlohmann::json&) {}
  void operator()(int) {}
};

int take_point(const Point& point) { return point.x; }
int take_none() noexcept { return 1; }
void take_result(const tine::Result<int>&) {}

}  // namespace

void ask(const tine::Rpc& rpc, std::stop_token stop, const tine::Server& server) {
  const nlohmann::json params{1, 2};
  const Point point;
  rpc.request("a").then([] {});
  rpc.request("a", 1).then([](tine::Result<int>) {});
  rpc.request("a", "text").then([](const tine::Result<>&) {});
  rpc.request("a", std::string("text")).then([](tine::Result<nlohmann::json>&&) {});
  rpc.request("a", {1, 2, 3}).then(take_result);
  rpc.request("a", {{"x", 1}, {"y", 2}}).then([](tine::Result<Point> result) mutable {
    return std::move(result).value();
  });
  rpc.request("a", {{"x", {1, 2}}}).then([](const auto& result) { return result.value().size(); });
  rpc.request("a", tine::object("x", 1, "y", 2)).then([](tine::Result<Point>) {});
  rpc.request<int>("a", tine::args(1, "two")).then([](auto result) { return *result; });
  rpc.notify("a", tine::args(point), [] {});
  rpc.request("a", params).then([kept = std::make_unique<int>()] {});
  rpc.request("a", point).then(std::function<void(tine::Result<int>)>(take_result));
  rpc.request<std::string>("a").then([](auto result) { return result->size(); });
  rpc.request<int>("a").then([](const tine::Result<long>& result) { return *result; });
  rpc.request("a")
      .within(1s)
      .stop(stop)
      .with(server)
      .on_progress([](const nlohmann::json&) {})
      .on_progress("token", [] {})
      .then([](const tine::Result<>& result) { return result ? "" : result.error().what(); })
      .cancel();
  auto made = rpc.request("a");
  const tine::Call call = std::move(made).within(1ms).then([] {});
  rpc.notify("a");
  rpc.notify("a", 1);
  rpc.notify("a", {{"x", 1}}, [](std::error_code) {});
  rpc.ping().within(1s).then(
      [](tine::Result<std::chrono::microseconds> took) { return took->count(); });
}

void answer(const tine::Rpc& rpc) {
  rpc.on_request("a", [] {});
  rpc.on_request("a", [] { return Point(); });
  rpc.on_request("a", take_none);
  rpc.on_request("a", take_point);
  rpc.on_request("a", &take_point);
  rpc.on_request("a", [](const nlohmann::json& params) { return params; });
  rpc.on_request("a", [](nlohmann::json params) { return params; });
  rpc.on_request("a", [](const auto&) {});
  rpc.on_request("a", [](const auto&, const auto&) {});
  rpc.on_request(
      "a", [](int a, const std::string& b, const nlohmann::json& c) { return b + c.dump(a); });
  rpc.on_request("a", [](Point, std::vector<int>, tine::Reply) {});
  rpc.on_request("a", [](const std::vector<int>&, const tine::Reply& reply) { reply.send(); });
  rpc.on_request("a", [](const tine::Reply& reply) {
    reply.progress(1);
    reply.send({{"x", 1}});
    reply.send(1, reply.handle());
    reply.fail(tine::RpcError(7, "no", {{"x", 1}}));
    reply.fail({tine::Errc::invalid_params, "no"});
    return 1;
  });
  rpc.on_request("a", [kept = std::make_unique<int>()] {});
  rpc.on_request("a", std::function<int(int)>([](int a) { return a; }));
  rpc.on_request("a", Overloaded());
  rpc.on_request([](const std::string& method, const nlohmann::json&, tine::Reply reply) {
    reply.send(method);
  });
  rpc.on_request([] {});
  rpc.on_notification("a", [] {});
  rpc.on_notification("a", [](const std::map<std::string, int>&) {});
  rpc.on_notification("a", [](int, int) {});
  rpc.on_notification("a", [](const auto&) {});
}

void make(const tine::ChildProcess& child, const tine::Process& process,
          const tine::Worker& worker) {
  const tine::Rpc of_child(child);
  const tine::Rpc of_process(process, {.pending_limit = 1, .strict = true});
  const tine::Rpc of_worker{worker};
  tine::Rpc kept;
  kept = of_child;
}
