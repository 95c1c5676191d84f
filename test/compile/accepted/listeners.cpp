// Every form that a listener may have.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tine/tine.hpp>

namespace {

struct Point {
  int x = 0;
  int y = 0;
};

void from_json(const nlohmann::json& value, Point& point) {
  value.at("x").get_to(point.x);
  value.at("y").get_to(point.y);
}

struct Overloaded {
  void operator()(const nlohmann::json&) {}
  void operator()(int) {}
};

struct Generic {
  template <class T>
  void operator()(const T&) const {}
};

void take_value(const nlohmann::json&) {}
void take_point(Point) {}
void take_nothing() noexcept {}

template <class E>
void add_message_listeners(E& emitter) {
  emitter.template on<"message">([](const nlohmann::json&) {});
  emitter.template on<"message">([](nlohmann::json) {});
  emitter.template on<"message">([](nlohmann::json&&) {});
  emitter.template on<"message">([](const auto&) {});
  emitter.template on<"message">([](auto) {});
  emitter.template on<"message">([](auto&&) {});
  emitter.template on<"message">(Overloaded());
  emitter.template on<"message">(Generic());

  emitter.template on<"message">([](Point) {});
  emitter.template on<"message">([](const Point&) {});
  emitter.template on<"message">([](Point&&) {});
  emitter.template on<"message">([](std::string) {});
  emitter.template on<"message">([](const std::string&) {});
  emitter.template on<"message">([](int) {});
  emitter.template on<"message">([](bool) {});
  emitter.template on<"message">([](double) {});
  emitter.template on<"message">([](const std::vector<Point>&) {});
  emitter.template on<"message">([](const std::map<std::string, int>&) {});

  emitter.template on<"message">([](tine::Text) {});
  emitter.template on<"message">([](const tine::Text&) {});
  emitter.template on<"message">([] {});

  emitter.template on<"message">([](const nlohmann::json&, const tine::Handle&) {});
  emitter.template on<"message">([](Point, tine::Handle) {});
  emitter.template on<"message">([](const auto&, const auto&) {});
  emitter.template on<"message">([](const nlohmann::json&, const tine::SharedBuffer&) {});
  emitter.template on<"message">([](nlohmann::json, tine::SharedBuffer) {});
  emitter.template on<"message">([](const Point&, tine::SharedBuffer&&) {});
  emitter.template on<"message">([](tine::Text, const tine::SharedBuffer&) {});

  emitter.template on<"message">(take_value);
  emitter.template on<"message">(&take_value);
  emitter.template on<"message">(&take_point);
  emitter.template on<"message">(take_nothing);
  emitter.template on<"message">([](const nlohmann::json&) noexcept {});
  emitter.template on<"message">([](int) noexcept {});
  emitter.template on<"message">([n = 0](int) mutable { return ++n; });
  emitter.template on<"message">([n = 0](int) mutable noexcept { return ++n; });
  emitter.template on<"message">([owned = std::make_unique<int>()](int) {});
  emitter.template on<"message">(std::function<void(const nlohmann::json&)>(take_value));
  emitter.template on<"message">(std::function<void(Point)>(take_point));
  emitter.template on<"message">([](int n) { return n; });

  // A listener that is an lvalue is copied.
  auto mutating = [n = 0](const nlohmann::json&) mutable { return ++n; };
  emitter.template on<"message">(mutating);
  const std::function<void()> constant = take_nothing;
  emitter.template on<"message">(constant);

  const tine::Subscription subscription = emitter.template once<"message">(take_value);
  emitter.off(subscription);
}

}  // namespace

void add_to_child(tine::ChildProcess& child) {
  add_message_listeners(child);
  child.on<"spawn">([] {});
  child.on<"error">([](const tine::Error& error) { static_cast<void>(error.code()); });
  child.on<"error">([](tine::Error) {});
  child.on<"error">([] {});
  child.on<"exit">([](tine::ExitStatus) {});
  child.on<"exit">([](const auto& status) { static_cast<void>(status.success()); });
  child.once<"close">([child] { static_cast<void>(child.exit_status()); });
}

void add_to_process(tine::Process& process) {
  add_message_listeners(process);
  process.on<"connected">([] {});
  process.on<"drain">([] {});
  process.on<"disconnect">([] {});
}
