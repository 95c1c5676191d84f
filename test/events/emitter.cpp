#include "tine/emitter.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "tine/error.hpp"
#include "tine/message.hpp"

using nlohmann::json;

namespace {

// An emitter whose events the test emits.
class TestEmitter
    : public tine::Emitter<tine::Event<"number", int>, tine::Event<"pair", int, std::string>,
                           tine::Event<"nothing">, tine::Event<"message", tine::Message>> {
 public:
  TestEmitter() : TestEmitter(std::make_shared<Listeners>()) {}

  template <tine::EventName Name, class... Args>
  void emit(Args... args) {
    const auto keep = listeners_;
    keep->template notify<Name>(args...);
  }

  // Emits "message". Returns the reasons why listeners could not be called.
  std::vector<std::string> emit_message(json value) {
    const std::string text = value.dump();
    return emit_message(value, text);
  }
  std::vector<std::string> emit_message(json& value, std::string_view text) {
    tine::Message message(text, &value);
    const auto keep = listeners_;
    keep->notify<"message">(message);
    return message.failures();
  }

 private:
  explicit TestEmitter(std::shared_ptr<Listeners> listeners)
      : Emitter(listeners), listeners_(listeners) {}

  std::shared_ptr<Listeners> listeners_;
};

struct Point {
  int x = 0;
  int y = 0;
};

void from_json(const json& value, Point& point) {
  point.x = value.at("x").get<int>();
  point.y = value.at("y").get<int>();
}

}  // namespace

TEST_CASE("emitter: listeners run in order of subscription", "[events]") {
  TestEmitter emitter;
  std::vector<int> order;
  emitter.on<"nothing">([&] { order.push_back(1); });
  emitter.on<"nothing">([&] { order.push_back(2); });
  emitter.on<"nothing">([&] { order.push_back(3); });
  emitter.emit<"nothing">();
  CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("emitter: a listener takes as many arguments as it declares", "[events]") {
  TestEmitter emitter;
  std::vector<std::string> seen;
  emitter.on<"pair">(
      [&](int number, const std::string& text) { seen.push_back(std::to_string(number) + text); });
  emitter.on<"pair">([&](long number) { seen.push_back(std::to_string(number)); });
  emitter.on<"pair">([&] { seen.emplace_back("none"); });
  emitter.on<"pair">([&](auto&&... all) { seen.push_back(std::to_string(sizeof...(all))); });
  emitter.emit<"pair">(7, std::string("x"));
  CHECK(seen == std::vector<std::string>{"7x", "7", "none", "2"});
}

TEST_CASE("emitter: a listener may be move-only, and its state may change", "[events]") {
  TestEmitter emitter;
  int last = 0;
  emitter.on<"nothing">([&, owned = std::make_unique<int>(0)]() mutable { last = ++*owned; });
  emitter.emit<"nothing">();
  emitter.emit<"nothing">();
  CHECK(last == 2);
}

TEST_CASE("emitter: a once listener runs once, even if it emits the same event", "[events]") {
  TestEmitter emitter;
  int calls = 0;
  emitter.once<"nothing">([&] {
    ++calls;
    emitter.emit<"nothing">();
  });
  emitter.emit<"nothing">();
  CHECK(calls == 1);
  CHECK(emitter.listener_count<"nothing">() == 0);
}

TEST_CASE("emitter: off removes one listener, and does nothing the second time", "[events]") {
  TestEmitter emitter;
  int first = 0;
  int second = 0;
  const auto subscription = emitter.on<"number">([&] { ++first; });
  emitter.on<"number">([&] { ++second; });
  CHECK(emitter.off(subscription));
  CHECK_FALSE(emitter.off(subscription));
  emitter.emit<"number">(1);
  CHECK(first == 0);
  CHECK(second == 1);
  CHECK(emitter.listener_count<"number">() == 1);
}

TEST_CASE("emitter: a listener that is removed during an emit does not run", "[events]") {
  TestEmitter emitter;
  int calls = 0;
  tine::Subscription second;
  emitter.on<"nothing">([&] { emitter.off(second); });
  second = emitter.on<"nothing">([&] { ++calls; });
  emitter.emit<"nothing">();
  CHECK(calls == 0);
}

TEST_CASE("emitter: a listener that is added during an emit runs from the next emit on",
          "[events]") {
  TestEmitter emitter;
  int calls = 0;
  emitter.once<"nothing">([&] {
    for (int i = 0; i < 100; ++i) emitter.on<"nothing">([&] { ++calls; });
  });
  emitter.emit<"nothing">();
  CHECK(calls == 0);
  emitter.emit<"nothing">();
  CHECK(calls == 100);
}

TEST_CASE("emitter: a listener that removes itself keeps its captures until it returns",
          "[events]") {
  TestEmitter emitter;
  const auto value = std::make_shared<int>(42);
  int seen = 0;
  tine::Subscription self;
  self = emitter.on<"nothing">([&, value] {
    emitter.off(self);
    seen = *value;
  });
  CHECK(value.use_count() == 2);
  emitter.emit<"nothing">();
  CHECK(seen == 42);
  CHECK(value.use_count() == 1);
}

TEST_CASE("emitter: a listener may destroy the emitter, and the others run on", "[events]") {
  auto emitter = std::make_unique<TestEmitter>();
  int calls = 0;
  emitter->on<"nothing">([&] { emitter.reset(); });
  emitter->on<"nothing">([&] { ++calls; });
  TestEmitter& raw = *emitter;
  raw.emit<"nothing">();
  CHECK(emitter == nullptr);
  CHECK(calls == 1);
}

TEST_CASE("emitter: captures may use the emitter when they are destroyed", "[events]") {
  TestEmitter emitter;
  struct Adds {
    explicit Adds(TestEmitter& e) : emitter_(e) {}
    Adds(const Adds&) = delete;
    ~Adds() {
      emitter_.on<"nothing">([] {});
    }
    TestEmitter& emitter_;
  };
  const auto subscription = emitter.on<"number">([adds = std::make_unique<Adds>(emitter)] {});
  emitter.off(subscription);
  CHECK(emitter.listener_count<"number">() == 0);
  CHECK(emitter.listener_count<"nothing">() == 1);
}

TEST_CASE("emitter: if a listener throws, the emit ends", "[events]") {
  TestEmitter emitter;
  int calls = 0;
  emitter.on<"nothing">([] { throw std::runtime_error("thrown"); });
  emitter.on<"nothing">([&] { ++calls; });
  CHECK_THROWS_WITH(emitter.emit<"nothing">(), "thrown");
  CHECK(calls == 0);
  CHECK(emitter.listener_count<"nothing">() == 2);
}

TEST_CASE("message: each listener gets the type that it declares", "[events]") {
  TestEmitter emitter;
  std::vector<std::string> seen;
  emitter.on<"message">([&](const json& value) { seen.push_back("value " + value.dump()); });
  emitter.on<"message">([&](const auto& value) { seen.push_back("generic " + value.dump()); });
  emitter.on<"message">([&](tine::Text text) { seen.push_back("text " + std::string(text.json)); });
  emitter.on<"message">(
      [&](const Point& point) { seen.push_back("point " + std::to_string(point.x)); });
  emitter.on<"message">(
      [&](std::map<std::string, int> map) { seen.push_back(std::to_string(map.size())); });
  emitter.on<"message">([&] { seen.emplace_back("nothing"); });
  const auto failures = emitter.emit_message({{"x", 1}, {"y", 2}});
  CHECK(failures.empty());
  CHECK(seen == std::vector<std::string>{R"(value {"x":1,"y":2})", R"(generic {"x":1,"y":2})",
                                         R"(text {"x":1,"y":2})", "point 1", "2", "nothing"});
}

TEST_CASE("message: a text that did not come is written from the value", "[events]") {
  TestEmitter emitter;
  std::vector<std::string> seen;
  const auto see = [&](tine::Text text) { seen.emplace_back(text.json); };
  emitter.on<"message">([&](tine::Message& message) { see(message.again().text()); });
  emitter.on<"message">(see);
  emitter.on<"message">([&](tine::Message& message) { see(message.again().text()); });
  json value{{"x", "a long text, which is not within the string itself"}};
  emitter.emit_message(value, {});
  CHECK(seen == std::vector(3, value.dump()));
  seen.clear();
  emitter.emit_message(value, "");  // an empty line that came
  CHECK(seen == std::vector<std::string>(3));
}

TEST_CASE("message: an overloaded functor gets the value", "[events]") {
  struct Overloaded {
    std::string* seen;
    void operator()(const json&) const { *seen = "json"; }
    void operator()(int) const { *seen = "int"; }
  };
  TestEmitter emitter;
  std::string seen;
  emitter.on<"message">(Overloaded{&seen});
  emitter.emit_message(5);
  CHECK(seen == "json");
}

TEST_CASE("message: a kept value is moved into the last listener and copied for others",
          "[events]") {
  TestEmitter emitter;
  const std::string text(100, 'x');
  std::vector<const char*> kept;
  emitter.on<"message">([&](json value) { kept.push_back(value.get_ref<std::string&>().data()); });
  emitter.on<"message">(
      [&](const json& value) { kept.push_back(value.get_ref<const std::string&>().data()); });
  emitter.on<"message">([&](json value) {
    CHECK(value == text);
    kept.push_back(value.get_ref<std::string&>().data());
  });
  emitter.emit_message(text);
  CHECK(kept[0] != kept[1]);
  CHECK(kept[2] == kept[1]);
}

TEST_CASE("message: a message that does not convert is reported, and the other listeners run",
          "[events]") {
  TestEmitter emitter;
  int typed = 0;
  int generic = 0;
  emitter.on<"message">([&](const Point&) { ++typed; });
  emitter.on<"message">([&](const json&) { ++generic; });
  const auto failures = emitter.emit_message({{"x", 1}});
  CHECK(typed == 0);
  CHECK(generic == 1);
  REQUIRE(failures.size() == 1);
  CHECK_THAT(failures[0], ContainsSubstring("key 'y' not found"));
}

TEST_CASE("message: an exception of a typed listener is not reported as a failed conversion",
          "[events]") {
  TestEmitter emitter;
  emitter.on<"message">([](int number) { return json::parse(std::to_string(number) + "]"); });
  CHECK_THROWS_AS(emitter.emit_message(1), json::parse_error);
}
