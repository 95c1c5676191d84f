// Pings on a channel: the lines that a raw peer gets, and what its answers mean.
#include <chrono>
#include <string>
#include <vector>

#include "channel/test_end.hpp"
#include "support/catch.hpp"
#include "support/handle_answers.hpp"
#include "support/tracked.hpp"

using namespace std::chrono_literals;

namespace {

const std::string ping = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"tine.ping\"}\n";
const std::string handle_line = R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":1})"
                                "\n";

tine::Descriptors file() { return tine::Descriptors({::dup(STDIN_FILENO)}); }

void send_handle(Channel& channel) {
  channel.end.send(nlohmann::json(1), channel.passed(file()), {});
}

// Runs the loop until the peer has received these bytes; it must receive no others.
void expect(Channel& channel, const std::string& bytes) {
  std::string came;
  channel.run_until([&] {
    came += channel.peer.read_available();
    return came.size() >= bytes.size();
  });
  CHECK(came == bytes);
}

void expect_pongs(Channel& channel, int count) {
  channel.run_until([&] { return channel.owner->pongs_ >= count; });
  CHECK(channel.owner->pongs_ == count);
}

// Runs the loop until the end has read everything that the peer wrote.
void await_read(Channel& channel) {
  channel.run_until([&] { return channel.peer.all_taken(); });
}

}  // namespace

TEST_CASE("ping: the line, and its answer", "[channel]") {
  Channel channel;
  CHECK(channel.end.ping());
  expect(channel, ping);
  CHECK(channel.owner->pongs_ == 0);
  channel.peer.write(nack);
  expect_pongs(channel, 1);
  CHECK(channel.end.ping());
  expect(channel, ping);
  channel.peer.write(nack);
  expect_pongs(channel, 2);
  channel.peer.write(nack);  // answers nothing
  await_read(channel);
  CHECK(channel.owner->pongs_ == 2);
  channel.run_to_end();
  CHECK(channel.log == Log{"disconnect"});
  CHECK_FALSE(channel.end.ping());
}

TEST_CASE("ping: while one is unanswered, no other is written", "[channel]") {
  Channel channel;
  channel.end.ping();
  channel.end.ping();
  channel.end.send(nlohmann::json(2), {});
  expect(channel, ping + "2\n");
  channel.peer.write(nack);
  expect_pongs(channel, 1);
  CHECK(channel.peer.read_available().empty());
  channel.run_to_end();
}

TEST_CASE("ping: while a handle is unanswered, its answer is the sign of life", "[channel]") {
  Channel channel;
  send_handle(channel);
  channel.end.ping();
  channel.end.send(nlohmann::json(2), {});
  expect(channel, handle_line);
  SECTION("it has arrived") {
    channel.peer.write(ack);
    expect_pongs(channel, 1);
    expect(channel, "2\n");
  }
  SECTION("it has not arrived") {
    channel.peer.write(nack);
    expect_pongs(channel, 1);
    expect(channel, handle_line);
    channel.end.ping();
    channel.peer.write(ack);
    expect_pongs(channel, 2);
    expect(channel, "2\n");
  }
  channel.run_to_end();
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("ping: a handle waits for the answer to a ping", "[channel]") {
  Channel channel;
  channel.end.ping();
  send_handle(channel);
  channel.end.send(nlohmann::json(2), {});
  expect(channel, ping);
  channel.peer.write(ack);  // answers no ping
  await_read(channel);
  CHECK(channel.owner->pongs_ == 0);
  CHECK(channel.peer.read_available().empty());
  channel.peer.write(nack);
  expect(channel, handle_line);
  CHECK(channel.owner->pongs_ == 1);
  channel.peer.write(ack);
  expect(channel, "2\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("ping: a handle that no answer to a ping comes for is given up, and not written",
          "[channel]") {
  Channel channel({.handle_timeout = 20ms});
  Tracked tracked;
  channel.end.ping();
  channel.end.send(nlohmann::json(1), channel.passed(tine::Descriptors({tracked.release()})), {});
  channel.end.send(nlohmann::json(2), {});
  expect(channel, ping + "2\n");
  channel.run_until([&] { return !channel.log.empty(); });
  CHECK(channel.log == Log{"error"});
  CHECK(channel.owner->errors_.at(0).code() == tine::Errc::handle_lost);
  CHECK_FALSE(tracked.open_somewhere());
  channel.peer.write(nack);
  expect_pongs(channel, 1);
  channel.run_to_end();
}

TEST_CASE("ping: when a handle is given up, the ping that waited is written", "[channel]") {
  Channel channel({.handle_timeout = 20ms});
  send_handle(channel);
  channel.end.ping();
  expect(channel, handle_line + ping);
  channel.peer.write(nack);
  expect_pongs(channel, 1);
  channel.run_to_end();
}

TEST_CASE("ping: disconnect() does not wait for an answer, but writes what waits for it",
          "[channel]") {
  Channel channel;
  SECTION("nothing waits") {
    channel.end.ping();
    channel.end.disconnect();
    channel.loop.run();
    CHECK(channel.peer.read_to_end() == ping);
  }
  SECTION("a handle waits") {
    channel.end.ping();
    send_handle(channel);
    channel.end.disconnect();
    expect(channel, ping);
    channel.peer.write(nack);
    expect(channel, handle_line);
    channel.peer.write(ack);
    channel.loop.run();
  }
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("ping: one that comes is answered, whatever comes with it", "[channel]") {
  const std::size_t limit = GENERATE(std::size_t{0}, std::size_t{16});
  Channel channel({.descriptor_limit = limit});
  channel.peer.write("1\n" + ping + "2\n");
  expect(channel, nack);
  channel.owner->listen(tine::channel::Wanted::nothing);
  channel.peer.write(ping);
  expect(channel, nack);
  channel.run_to_end();
  CHECK(channel.log == Log{"1", "2", "disconnect"});
}

TEST_CASE("ping: one that comes leaves the descriptor to the line behind it", "[channel]") {
  Channel channel;
  channel.peer.write_with_descriptor(ping + handle_line, STDIN_FILENO);
  expect(channel, nack + ack);
  CHECK(channel.log == Log{"1 with 1"});
  channel.run_to_end();
}
