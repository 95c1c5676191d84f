// Every form that a message may have.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <tine/tine.hpp>

namespace {

struct Point {
  int x = 0;
  int y = 0;
};

void to_json(nlohmann::json& value, const Point& point) {
  value = {{"x", point.x}, {"y", point.y}};
}

template <class Sender>
void send_all(Sender& sender) {
  const Point point;
  std::string text = "1";

  sender.send("Hello");
  sender.send(text);
  sender.send(std::string_view("Hello"));
  sender.send(1);
  sender.send(1.5);
  sender.send(true);
  sender.send(nullptr);
  sender.send({1, 2, 3});
  sender.send({{"n", 1}});
  sender.send({{"n", 1}, {"list", {1, 2}}});
  sender.send({{"point", point}});
  sender.send(point);
  sender.send(std::vector<Point>{point, point});
  sender.send(std::map<std::string, int>{{"n", 1}});
  sender.send(nlohmann::json::object());
  sender.send(nlohmann::json::array({1, "two"}));
  sender.send(tine::object("n", 1, "point", point, text, tine::args(1, "two", std::vector{3})));
  sender.send(tine::args());
  sender.send(tine::Text{"1"});
  sender.send(tine::Text{text});

  const auto sent = [](std::error_code error) { static_cast<void>(error.message()); };
  tine::SendCallback callback = sent;
  sender.send("Hello", sent);
  sender.send("Hello", std::move(callback));
  sender.send("Hello", [](auto) {});
  sender.send("Hello", [] {});
  sender.send("Hello", [owned = std::make_unique<int>(1)] { static_cast<void>(*owned); });
  sender.send("Hello", nullptr);
  sender.send(nullptr, sent);
  sender.send({1, 2, 3}, sent);
  sender.send({{"n", 1}}, sent);
  sender.send(point, [text](std::error_code) {});
  sender.send(tine::Text{"1"}, sent);
  sender.send(tine::Text{"1"}, [] {});
  sender.send(tine::object(), sent);
  sender.send(tine::args(1), [] {});
  sender.send(tine::object("frame", 7), tine::SharedBuffer("bytes"));
  sender.send(tine::object("frame", 7), tine::SharedBuffer("bytes"), sent);
  sender.send(tine::args(7), tine::Socket(), {.keep_open = true}, [] {});
  sender.send("Hello", tine::Handle(), sent);
  sender.send("Hello", tine::Handle(), [] {});
  sender.send("Hello", tine::Socket(), {.keep_open = true}, [] {});
  sender.send("Hello", tine::SharedBuffer());
  sender.send({{"frame", 7}}, tine::SharedBuffer("bytes"));
  sender.send({{"frame", 7}}, tine::SharedBuffer("bytes"), sent);
  sender.send(tine::Text{"1"}, tine::SharedBuffer("bytes"));
  static_cast<void>(sender.send("Hello") && sender.connected());
}

}  // namespace

void send_to_child(tine::ChildProcess& child) { send_all(child); }
void send_to_parent(tine::Process& process) { send_all(process); }
