// Routes take messages before listeners do, also while there is no listener.
#include "channel/router.hpp"

#include <stdexcept>
#include <string>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "channel/test_end.hpp"
#include "support/catch.hpp"

using nlohmann::json;
using tine::channel::ReceivedDescriptors;
using tine::channel::Router;
using tine::channel::Wanted;

namespace {

bool is_number(const json& message) { return message.is_number(); }

// Adds a route that takes the numbers, and records them.
void take_numbers(Channel& channel, Log& taken) {
  channel.end.router().add(Router::Offers::user, [&taken](json& message, ReceivedDescriptors*) {
    if (is_number(message)) taken.push_back(message.dump());
    return is_number(message);
  });
}

}  // namespace

TEST_CASE("router: a route takes some messages, listeners get the rest in order", "[channel]") {
  const Wanted wanted = GENERATE(Wanted::value, Wanted::text);
  Channel channel;
  channel.owner->wanted_ = wanted;
  Log taken;
  take_numbers(channel, taken);
  channel.peer.write("\"a\"\n1\n\"b\"\n2\n3\n\"c\"\n");
  channel.run_to_end();
  CHECK(taken == Log{"1", "2", "3"});
  const std::string form = wanted == Wanted::text ? "text " : "";
  CHECK(channel.log == Log{form + R"("a")", form + R"("b")", form + R"("c")", "disconnect"});
}

TEST_CASE("router: a route takes messages while nobody listens; the rest waits for a listener",
          "[channel]") {
  Channel channel;
  channel.owner->wanted_ = Wanted::nothing;
  Log taken;
  take_numbers(channel, taken);
  channel.peer.write("\"a\"\n1\n\"b\"\n2\n");
  channel.run_until([&] { return taken.size() == 2; });
  CHECK(taken == Log{"1", "2"});
  CHECK(channel.log.empty());
  channel.owner->listen(Wanted::value);
  channel.run_to_end();
  CHECK(taken == Log{"1", "2"});  // stored messages are not offered again
  CHECK(channel.log == Log{R"("a")", R"("b")", "disconnect"});
}

TEST_CASE("router: without a listener, reading pauses at stored_limit although there is a route",
          "[channel]") {
  Channel channel({.stored_limit = 1000});
  channel.owner->wanted_ = Wanted::nothing;
  Log taken;
  take_numbers(channel, taken);
  channel.peer.write("\"" + std::string(2000, 'x') + "\"\n");
  channel.run_until([&] { return channel.peer.all_taken(); });
  channel.peer.write("1\n");
  channel.owner->listen(Wanted::value);
  channel.run_until([&] { return taken.size() == 1; });
  CHECK(channel.log.size() == 1);
  channel.run_to_end();
}

TEST_CASE("router: a bad line is reported at once if there is a route", "[channel]") {
  Channel channel;
  channel.owner->wanted_ = Wanted::nothing;
  Log taken;
  take_numbers(channel, taken);
  channel.peer.write("x\n1\n");
  channel.run_until([&] { return taken.size() == 1; });
  CHECK(channel.log == Log{"error"});
  channel.run_to_end();
}

TEST_CASE("router: routes are asked in order until one takes the message", "[channel]") {
  Channel channel;
  Router& router = channel.end.router();
  Log asked;
  const auto route = [&](const std::string& name, bool takes) {
    return [&asked, name, takes](json&, ReceivedDescriptors*) {
      asked.push_back(name);
      return takes;
    };
  };
  router.add(Router::Offers::internal, route("internal", true));
  router.add(Router::Offers::user, route("first", false));
  router.add(Router::Offers::user, route("second", true));
  router.add(Router::Offers::user, route("third", true));
  channel.peer.write("1\n{\"cmd\":\"NODE_X\"}\n");
  channel.run_to_end();
  CHECK(asked == Log{"first", "second"});  // TestEnd's own route has taken the internal message
  CHECK(channel.owner->internal_ == Log{R"({"cmd":"NODE_X"})"});
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("router: a route may add routes and clear the router", "[channel]") {
  Channel channel;
  Router& router = channel.end.router();
  int added = 0;
  router.add(Router::Offers::user, [&](json& message, ReceivedDescriptors*) {
    if (message == 1) {
      router.add(Router::Offers::user, [&](json&, ReceivedDescriptors*) { return ++added > 0; });
    }
    if (message == 2) router.clear();
    return false;
  });
  channel.peer.write("1\n2\n3\n");
  channel.run_to_end();
  CHECK(added == 1);
  CHECK(channel.log == Log{"2", "3", "disconnect"});
}

TEST_CASE("router: if a route throws, that message is lost and the next ones are not",
          "[channel]") {
  Channel channel;
  channel.end.router().add(Router::Offers::user, [&](json& message, ReceivedDescriptors*) {
    if (message == 1) throw std::runtime_error("a route has thrown");
    return false;
  });
  channel.peer.write("1\n2\n");
  channel.peer.close();
  CHECK_THROWS_AS(channel.loop.run(), std::runtime_error);
  channel.loop.run();
  CHECK(channel.log == Log{"2", "disconnect"});
}

TEST_CASE("router: a route takes messages beside handles; the rest is a listener's", "[channel]") {
  const Wanted wanted = GENERATE(Wanted::value, Wanted::nothing);
  const auto line = [](const std::string& message) {
    return R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":)" + message + "}\n";
  };
  Channel channel;
  channel.owner->wanted_ = wanted;
  Log taken;
  channel.end.router().add(Router::Offers::user, [&](json& message, ReceivedDescriptors* beside) {
    if (!is_number(message)) return false;
    const auto descriptors = std::move(beside->descriptors);
    taken.push_back(message.dump() + " with " + std::to_string(descriptors.size()));
    return true;
  });
  for (const std::string message : {"\"a\"", "1", "\"b\""}) {
    channel.peer.write_with_descriptor(line(message), STDIN_FILENO);
  }
  channel.run_until([&] { return !taken.empty(); });
  CHECK(taken == Log{"1 with 1"});
  channel.owner->listen(Wanted::value);
  channel.run_to_end();
  CHECK(taken == Log{"1 with 1"});  // stored messages are not offered again
  CHECK(channel.log == Log{"\"a\" with 1", "\"b\" with 1", "disconnect"});
}

TEST_CASE("router: routes are dropped when the channel has ended", "[channel]") {
  const auto captured = std::make_shared<int>();
  Channel channel;
  channel.end.router().add(Router::Offers::user,
                           [captured](json&, ReceivedDescriptors*) { return false; });
  CHECK(captured.use_count() > 1);
  channel.run_to_end();
  CHECK(captured.use_count() == 1);
}
