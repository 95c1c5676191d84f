// The limits of sending, tested to the exact byte.
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "channel/outbox.hpp"
#include "channel/test_end.hpp"
#include "support/catch.hpp"
#include "wire/json_lines.hpp"

using nlohmann::json;
using tine::Errc;
using tine::channel::Outbox;
using tine::channel::PassedHandle;
using tine::wire::JsonLines;

namespace {

const std::size_t max_depth = tine::ChannelOptions().max_depth;

constexpr std::size_t mark = 1'000'000;

// Returns a message that has this size on the wire.
json message_of(std::size_t bytes) { return std::string(bytes - 3, 'x'); }

// Sends more than the socket has room for.
void fill(Channel& channel) {
  channel.end.send(message_of(600'000), {});
  REQUIRE(channel.end.queued() > 0);
}

}  // namespace

TEST_CASE("endpoint: send() returns true one byte below the mark", "[channel]") {
  Channel channel({.send_mark = mark});
  fill(channel);
  CHECK(channel.end.send(message_of(mark - 1 - channel.end.queued()), {}));
  CHECK(channel.end.queued() == mark - 1);
  channel.run_to_end();
  CHECK(channel.log == Log{"loss", "disconnect"});
}

TEST_CASE("endpoint: send() returns false exactly at the mark", "[channel]") {
  Channel channel({.send_mark = mark});
  fill(channel);
  CHECK_FALSE(channel.end.send(message_of(mark - channel.end.queued()), {}));
  CHECK(channel.end.queued() == mark);
  channel.run_to_end();
}

TEST_CASE("outbox: a message that fills the limit exactly is taken, one more byte is refused",
          "[channel]") {
  JsonLines codec(max_depth);
  Outbox outbox(codec, {.send_limit = 100});
  tine::SendCallback nobody;
  CHECK_FALSE(outbox.add(message_of(60), nobody));
  const auto refused = outbox.add(message_of(41), nobody);
  REQUIRE(refused);
  CHECK(refused->code() == Errc::queue_full);
  CHECK(outbox.queued() == 60);
  CHECK_FALSE(outbox.add(message_of(40), nobody));
  CHECK(outbox.queued() == 100);
  CHECK(outbox.add(json(1), nobody));
}

TEST_CASE("outbox: the whole line of a handle counts toward the limit", "[channel]") {
  const std::size_t line =
      std::string_view("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":1}\n").size();
  const bool fits = GENERATE(true, false);
  JsonLines codec(max_depth);
  Outbox outbox(codec, {.send_limit = 60 + line - (fits ? 0 : 1)});
  tine::SendCallback nobody;
  CHECK_FALSE(outbox.add(message_of(60), nobody));
  PassedHandle handle{.type = "net.Socket"};
  handle.descriptors.emplace_back(-1);
  CHECK(outbox.add(json(1), handle, nobody).has_value() == !fits);
  CHECK(handle.descriptors.empty() == fits);
  CHECK(outbox.queued() == 60 + (fits ? line : 0));
}

TEST_CASE("outbox: an empty queue takes a message of any size", "[channel]") {
  JsonLines codec(max_depth);
  Outbox outbox(codec, {.send_limit = 10});
  tine::SendCallback nobody;
  CHECK_FALSE(outbox.add(message_of(1000), nobody));
  CHECK(outbox.add(json(1), nobody));
  outbox.written(outbox.front().bytes.size());
  CHECK_FALSE(outbox.add(json(1), nobody));
}
