#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "channel/test_end.hpp"
#include "support/catch.hpp"
#include "support/no_descriptors.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using tine::Errc;
using tine::channel::Endpoint;
using tine::channel::Wanted;

TEST_CASE("endpoint: messages arrive in order, then disconnect", "[channel]") {
  Channel channel;
  channel.peer.write("1\n{\"a\":[true]}\n\"x\"\nnull\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"1", R"({"a":[true]})", R"("x")", "null", "disconnect"});
}

TEST_CASE("endpoint: a peer that shuts down reading while much is queued ends the channel",
          "[channel]") {
  Channel channel({.flush_timeout = std::chrono::milliseconds(1)});
  Sent sent;
  channel.end.send(json(std::string(1'000'000, 'x')), sent.callback());
  channel.peer.write("1\n");
  channel.peer.refuse_reading();
  channel.loop.run();
  CHECK(channel.end.closed());
  CHECK(channel.log == Log{"1", "disconnect"});
  CHECK(sent.codes == std::vector{std::make_error_code(std::errc::broken_pipe)});
}

TEST_CASE("endpoint: an incomplete last line is dropped", "[channel]") {
  Channel channel;
  channel.peer.write("1\n{\"a\":");
  channel.run_to_end();
  CHECK(channel.log == Log{"1", "disconnect"});
  CHECK(channel.end.torn() == 5);
}

TEST_CASE("endpoint: a half-close by the peer ends the channel", "[channel]") {
  Channel channel;
  channel.peer.write("1\n");
  channel.peer.half_close();
  channel.loop.run();
  CHECK(channel.log == Log{"1", "disconnect"});
  CHECK(channel.peer.at_end());
}

TEST_CASE("endpoint: messages after a stray descriptor are delivered, even if the peer is gone",
          "[channel]") {
  Channel channel;
  channel.peer.write_with_descriptor("1\n", STDIN_FILENO);
  channel.peer.write("2\n3\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"1", "2", "3", "disconnect"});
}

TEST_CASE("endpoint: messages of a peer that closes without reading are delivered", "[channel]") {
  Channel channel;
  channel.peer.write("1\n2\n");
  channel.end.send(json("unread"), {});
  channel.run_to_end();
  CHECK(channel.log == Log{"1", "2", "disconnect"});
}

TEST_CASE("endpoint: a bad line is an error, and the next good one arrives", "[channel]") {
  const std::string bad =
      GENERATE(as<std::string>{}, "", "   ", "{\"a\":,}", "{} {}", "'x'", "// x", "\xEF\xBB\xBF{}",
               "\"a\tb\"", "\"\xFF\"", "[1,2", "1e400", "nul");
  Channel channel;
  channel.peer.write("1\n" + bad + "\n2\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"1", "error", "2", "disconnect"});
  CHECK(channel.owner->errors_.at(0).code() == Errc::bad_message);
}

TEST_CASE("endpoint: the error of a bad line has the offset, the reason and an excerpt",
          "[channel]") {
  Channel channel;
  channel.peer.write("{\"a\":,\"b\":1}\n");
  channel.run_to_end();
  CHECK_THAT(channel.owner->errors_.at(0).what(), ContainsSubstring("at byte 5") &&
                                                      ContainsSubstring("unexpected ','") &&
                                                      ContainsSubstring(R"(`{"a":,"b":1}`)"));
}

TEST_CASE("endpoint: consecutive bad lines are one error with a count", "[channel]") {
  Channel channel;
  channel.peer.write("x\ny\nz\n1\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"error", "1", "disconnect"});
  CHECK_THAT(channel.owner->errors_[0].what(), ContainsSubstring("(and 2 more after it)"));
}

TEST_CASE("endpoint: a bad message of advanced serialization is an error, and the next one arrives",
          "[channel]") {
  Channel channel({}, tine::Serialization::advanced);
  channel.peer.write(std::string("\0\0\0\3\xFF\x0Fq\0\0\0\2\xFF\x0F\0\0\0\3\xFF\x0FT", 20));
  channel.run_to_end();
  CHECK(channel.log == Log{"error", "true", "disconnect"});
  CHECK(channel.owner->errors_.at(0).code() == Errc::bad_message);
  CHECK_THAT(channel.owner->errors_.at(0).what(),
             StartsWith("what came in is no message, at byte 2: a byte that stands for no value, "
                        "near `\\xff\\x0fq` (and 1 more after it)"));
}

TEST_CASE("endpoint: a peer that does not write advanced serialization is reported, and left",
          "[channel]") {
  Channel channel({}, tine::Serialization::advanced);
  channel.peer.write("{\"a\":1}\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"error", "disconnect"});
  CHECK(channel.owner->errors_.at(0).code() == Errc::unsupported_serialization);
}

TEST_CASE("endpoint: many bad lines let the rest of the loop run", "[channel]") {
  Channel channel;
  std::string lines;
  for (int i = 0; i < 8000; ++i) lines += "{\"a\":,}\n";
  channel.peer.write(lines + "1\n");
  bool others_ran = false;
  channel.owner->at_message_ = [&] { CHECK(others_ran); };
  channel.loop->after(0ms, [&] { others_ran = true; });
  channel.run_to_end();
  CHECK(channel.log.size() > 3);
  CHECK(channel.log[channel.log.size() - 2] == "1");
}

TEST_CASE("endpoint: no more is read while bad lines wait for the rest of the loop", "[channel]") {
  Channel channel;
  std::string lines;
  for (int i = 0; i < 8000; ++i) lines += "{\"a\":,}\n";
  channel.peer.write(lines);
  std::vector<std::size_t> taken;  // how many bytes the socket took, each time
  channel.owner->at_error_ = [&] {
    if (taken.size() == 3) return;
    taken.push_back(0);
    while (const std::size_t n = channel.peer.write_some(lines)) taken.back() += n;
  };
  channel.run_until([&] { return taken.size() == 3; });
  CHECK(taken[0] > 0);
  CHECK(taken[1] == 0);
  CHECK(taken[2] == 0);
  channel.run_to_end();
}

TEST_CASE("endpoint: if an error is thrown for a bad line, the next good line still arrives",
          "[channel]") {
  Channel channel;
  channel.owner->throw_errors_ = true;
  channel.peer.write("x\n1\n");
  channel.peer.close();
  CHECK_THROWS_AS(channel.loop.run(), tine::Error);
  CHECK(channel.log == Log{"error"});
  channel.loop.run();
  CHECK(channel.log == Log{"error", "1", "disconnect"});
}

TEST_CASE("endpoint: if a listener throws, the next run delivers the rest in order", "[channel]") {
  Channel channel;
  channel.peer.write("1\n2\n3\n");
  channel.peer.close();
  channel.owner->at_message_ = [] { throw std::runtime_error("thrown"); };
  for (const auto& delivered : {Log{"1"}, Log{"1", "2"}, Log{"1", "2", "3"}}) {
    CHECK_THROWS_WITH(channel.loop.run(), "thrown");
    CHECK(channel.log == delivered);
  }
  channel.loop.run();
  CHECK(channel.log == Log{"1", "2", "3", "disconnect"});
}

TEST_CASE("endpoint: a line longer than max_line is an error and ends the channel", "[channel]") {
  Channel channel({.max_line = 10});
  channel.peer.write("\"45678901\"\n\"456789012\"\n1\n");
  channel.loop.run();
  CHECK(channel.log == Log{R"("45678901")", "error", "disconnect"});
  CHECK(channel.owner->errors_[0].code() == Errc::message_too_long);
  CHECK(channel.peer.at_end());
}

// Bun writes these bytes first, if it is told to write "advanced".
TEST_CASE("endpoint: a peer that writes another serialization is an error, before what it has lost",
          "[channel]") {
  const bool peer_is_gone = GENERATE(false, true);
  Channel channel({}, tine::Serialization::advanced);
  channel.end.send(json(std::string(1'000'000, 'x')), {});
  REQUIRE(channel.end.queued() > 0);
  channel.peer.write(std::string_view("\1\2\0\0\0", 5));
  if (peer_is_gone) channel.peer.close();
  channel.loop.run();
  CHECK(channel.log == Log{"error", "loss", "disconnect"});
  CHECK(channel.owner->errors_[0].code() == Errc::unsupported_serialization);
}

TEST_CASE("endpoint: at most max_line of an endless line is buffered", "[channel]") {
  Channel channel({.max_line = 100'000});
  for (std::size_t written = 0; written <= 100'000;) {
    written += channel.peer.write_some(std::string(50'000, 'x'));
  }
  channel.loop.run();
  CHECK(channel.log == Log{"error", "disconnect"});
}

TEST_CASE("endpoint: nesting deeper than max_depth is an error for that line", "[channel]") {
  Channel channel({.max_depth = 3});
  channel.peer.write("[[[1]]]\n[[[[]]]]\n[{\"a\":{}}]\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"[[[1]]]", "error", R"([{"a":{}}])", "disconnect"});
}

TEST_CASE("endpoint: internal messages are not delivered, in whatever form they come",
          "[channel]") {
  const auto wanted = GENERATE(Wanted::value, Wanted::text);
  Channel channel;
  channel.owner->listen(wanted);
  channel.peer.write(
      "{\"cmd\":\"NODE_X\"}\n{\"cmd\":\"\\u004eODE_X\"}\n{\"cmd\":\"NODE_\"}\n[\"NODE_\"]\n");
  channel.run_to_end();
  REQUIRE(channel.log.size() == 3);
  CHECK_THAT(channel.log[0], EndsWith(R"({"cmd":"NODE_"})"));
  CHECK_THAT(channel.log[1], EndsWith(R"(["NODE_"])"));
}

TEST_CASE("endpoint: text is delivered as it came, unparsed", "[channel]") {
  Channel channel;
  channel.owner->listen(Wanted::text);
  channel.peer.write("  {\"b\":1, \"a\":2}\r\nno JSON\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"text   {\"b\":1, \"a\":2}\r", "text no JSON", "disconnect"});
}

TEST_CASE("endpoint: with a descriptor_limit of 0 a handle is refused, and its descriptor closed",
          "[channel]") {
  Channel channel({.descriptor_limit = 0});
  channel.peer.write_with_descriptor(
      "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":1}\n", STDIN_FILENO);
  channel.peer.write("2\n");
  channel.owner->at_message_ = [&] { channel.loop->stop(); };
  channel.loop.run();
  CHECK(channel.peer.read_available() == "{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
  CHECK(channel.log == Log{"error", "2"});
  CHECK(channel.owner->errors_[0].code() == Errc::handle_refused);
  channel.run_to_end();
}

// --- late listeners, pausing

TEST_CASE("endpoint: messages wait for a listener in order, internal messages do not wait",
          "[channel]") {
  Channel channel;
  channel.owner->listen(Wanted::nothing);
  channel.peer.write("1\nbad\n{\"cmd\":\"NODE_HANDLE\"}\n2\n");
  std::string answer;
  channel.run_until([&] {
    answer += channel.peer.read_available();
    return !answer.empty();
  });
  CHECK(answer == "{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
  CHECK(channel.log.empty());
  channel.owner->listen(Wanted::value);
  CHECK(channel.log.empty());
  channel.peer.write("3\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"1", "error", "2", "3", "disconnect"});
}

TEST_CASE("endpoint: the end is reported without a listener, and messages wait for one",
          "[channel]") {
  Channel channel;
  channel.owner->listen(Wanted::nothing);
  channel.peer.write("1\n2\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"disconnect"});
  channel.owner->listen(Wanted::value);
  channel.loop.run();
  CHECK(channel.log == Log{"disconnect", "1", "2"});
}

TEST_CASE("endpoint: from stored_limit on the peer must wait, until there is a listener",
          "[channel]") {
  const std::string line = '"' + std::string(1000, 'x') + "\"\n";
  Channel channel({.stored_limit = 100'000});
  channel.owner->listen(Wanted::nothing);
  std::size_t written = 0;
  int idle_turns = 0;
  std::function<void()> write = [&] {
    const std::size_t n = channel.peer.write_some(line);
    REQUIRE((n == 0 || n == line.size()));
    written += n;
    idle_turns = n == 0 ? idle_turns + 1 : 0;
    if (idle_turns < 50) channel.loop->after(0ms, write);
    if (idle_turns == 50) channel.loop->stop();
  };
  write();
  channel.loop.run();
  CHECK(written > 100'000);
  CHECK(written < 1'000'000);
  channel.owner->listen(Wanted::value);
  channel.run_to_end();
  CHECK(channel.log.size() == written / line.size() + 1);
}

TEST_CASE("endpoint: the end of the peer is noticed while reading is paused", "[channel]") {
  Channel channel;
  channel.end.set_paused(true);
  channel.peer.write("1\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"disconnect"});
  channel.end.set_paused(false);
  channel.loop.run();
  CHECK(channel.log == Log{"disconnect", "1"});
}

TEST_CASE("endpoint: pausing inside a listener holds back the next message", "[channel]") {
  Channel channel;
  channel.peer.write("1\n2\n3\n");
  int resumed = 0;
  channel.owner->at_message_ = [&] {
    channel.end.set_paused(true);
    channel.loop->after(1ms, [&] {
      channel.log.emplace_back("resume");
      channel.end.set_paused(false);
      if (++resumed == 3) channel.peer.close();
    });
  };
  channel.loop.run();
  CHECK(channel.log == Log{"1", "resume", "2", "resume", "3", "resume", "disconnect"});
}

TEST_CASE("endpoint: after set_ref(false) the channel does not keep the loop running",
          "[channel]") {
  Channel channel;
  channel.end.set_ref(false);
  channel.loop.run();
  CHECK(channel.end.connected());
  channel.end.set_paused(true);
  channel.loop.run();
  CHECK(channel.end.connected());
  channel.end.set_ref(true);
  channel.run_to_end();
}

// --- sending

TEST_CASE("endpoint: a message is written when it is sent", "[channel]") {
  Channel channel;
  channel.peer.write("1\n2\n3\n");
  std::string at_peer;
  channel.owner->at_message_ = [&] {
    for (const char* half : {".1", ".2"}) {
      channel.end.send(json(channel.log.back() + half), {});
      at_peer += channel.peer.read_available() + ' ';
    }
    if (channel.log.size() == 3) channel.loop->stop();
  };
  channel.loop.run();
  CHECK(at_peer == "\"1.1\"\n \"1.2\"\n \"2.1\"\n \"2.2\"\n \"3.1\"\n \"3.2\"\n ");
  channel.run_to_end();
}

TEST_CASE(
    "endpoint: in each turn, the first of many messages is written at once, the others together",
    "[channel]") {
  Channel channel;
  channel.send_densely();
  channel.end.send(json(1), {});
  CHECK(channel.peer.read_available() == "1\n");
  channel.end.send(json(2), {});
  channel.end.send(json(3), {});
  CHECK(channel.peer.read_available().empty());
  CHECK(channel.end.queued() == 4);
  CHECK(channel.end.flush());
  CHECK(channel.peer.read_available() == "2\n3\n");
  channel.end.send(json(4), {});
  channel.loop->after(0ms, [&] { channel.loop->stop(); });
  channel.loop.run();
  CHECK(channel.peer.read_available() == "4\n");
  channel.run_to_end();
}

TEST_CASE("endpoint: many answers to the messages of one read are written together", "[channel]") {
  Channel channel;
  channel.send_densely();
  channel.peer.write("1\n2\n3\n");
  std::string before_the_last;
  channel.owner->at_message_ = [&] {
    before_the_last = channel.peer.read_available();
    channel.end.send(json(channel.log.back()), {});
    if (channel.log.size() == 3) channel.loop->stop();
  };
  channel.loop.run();
  CHECK(before_the_last.empty());
  CHECK(channel.peer.read_available() == "\"1\"\n\"2\"\n\"3\"\n");
  channel.run_to_end();
}

TEST_CASE(
    "endpoint: an answer that is held back is written before the next listener if one took long",
    "[channel]") {
  Channel channel;
  channel.send_densely();
  channel.peer.write("1\n2\n3\n");
  std::string before_the_last;
  channel.owner->at_message_ = [&] {
    const std::size_t delivered = channel.log.size();
    if (delivered == 1) channel.end.send(json("answer"), {});
    if (delivered == 2) CHECK(channel.peer.read_available().empty());
    for (const auto tick = tine::uv::Pace::now();
         delivered == 2 && tine::uv::Pace::now() == tick;) {
    }
    if (delivered == 3) before_the_last = channel.peer.read_available();
    if (delivered == 3) channel.loop->stop();
  };
  channel.loop.run();
  CHECK(before_the_last == "\"answer\"\n");
  channel.run_to_end();
}

TEST_CASE("endpoint: callbacks report success after the write, and not inside send()",
          "[channel]") {
  Channel channel;
  Sent sent;
  CHECK(channel.end.send(json(1), sent.callback()));
  CHECK(channel.end.send(json(2), sent.callback()));
  CHECK(sent.codes.empty());
  channel.run_until([&] { return sent.codes.size() == 2; });
  CHECK(sent.codes == std::vector<std::error_code>(2));
  channel.run_to_end();
}

TEST_CASE("endpoint: if a callback throws, the next run calls the others", "[channel]") {
  Channel channel;
  int called = 0;
  for (int i = 0; i < 3; ++i) {
    channel.end.send(json(i), [&](std::error_code) {
      ++called;
      throw std::runtime_error("thrown");
    });
  }
  for (int i = 1; i <= 3; ++i) {
    CHECK_THROWS_WITH(channel.loop.run(), "thrown");
    CHECK(called == i);
  }
  channel.run_to_end();
}

TEST_CASE("endpoint: callbacks that send let the rest of the loop run", "[channel]") {
  Channel channel;
  const json message = std::string(100'000, 'x');  // one write takes it all
  int sent = 0;
  bool others_ran = false;
  const std::function<void()> send_again = [&] {
    channel.peer.read_available();
    if (!others_ran && ++sent < 10'000) channel.end.send(message, send_again);
  };
  channel.loop->after(0ms, [&] { others_ran = true; });
  channel.end.send(message, send_again);
  channel.run_until([&] { return others_ran; });
  CHECK(sent < 10'000);
  channel.run_to_end();
}

TEST_CASE("endpoint: send() returns false from the mark on, and drain comes at half of the mark",
          "[channel]") {
  Channel channel({.send_mark = 1'000'000});
  const json message = std::string(100'000, 'x');
  int accepted = 1;
  while (channel.end.send(message, {})) ++accepted;
  CHECK(channel.end.queued() >= 1'000'000);
  std::size_t received = 0;
  std::function<void()> read = [&] {
    received += channel.peer.read_available().size();
    const bool drained = !channel.log.empty() && channel.log.back() == "drain";
    if (drained) CHECK(channel.end.queued() <= 500'000);
    if (channel.end.queued() > 0) {
      channel.loop->after(0ms, read);
    } else {
      channel.loop->stop();
    }
  };
  read();
  channel.loop.run();
  received += channel.peer.read_available().size();
  CHECK(channel.log == Log{"drain"});
  CHECK(received == static_cast<std::size_t>(accepted) * 100'003);
  channel.run_to_end();
}

TEST_CASE(
    "endpoint: a message beyond the limit is refused and reported, and the channel stays open",
    "[channel]") {
  Channel channel({.send_limit = 600'000});
  Sent sent;
  const json message = std::string(500'000, 'x');
  channel.end.send(message, {});
  CHECK(channel.end.queued() > 200'000);
  CHECK_FALSE(channel.end.send(message, sent.callback()));
  CHECK_FALSE(channel.end.send(message, {}));
  CHECK(sent.codes.empty());
  CHECK(channel.log.empty());
  channel.run_until([&] { return !channel.log.empty(); });
  REQUIRE(sent.codes.size() == 1);
  CHECK(sent.codes[0] == Errc::queue_full);
  CHECK(channel.log == Log{"error"});
  CHECK(channel.end.connected());
  channel.run_to_end();
}

TEST_CASE("endpoint: an empty queue takes a message of any size", "[channel]") {
  Channel channel({.send_limit = 10});
  CHECK(channel.end.send(json(std::string(1000, 'x')), {}));
  CHECK(channel.peer.read_available().size() == 1003);
  channel.run_to_end();
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("endpoint: a message that cannot be written as JSON is refused, and the rest is sent",
          "[channel]") {
  json deep = 1;
  for (int i = 0; i < 1001; ++i) deep = json::array({std::move(deep)});
  Channel channel;
  Sent sent;
  channel.end.send(json(1), {});
  CHECK_FALSE(channel.end.send(json("\xFF"), sent.callback()));
  CHECK_FALSE(channel.end.send(deep, sent.callback()));
  CHECK_FALSE(channel.end.send(tine::Text{"{\"a\":}"}, sent.callback()));
  CHECK_FALSE(channel.end.send(tine::Text{"[1,\n2]"}, sent.callback()));
  CHECK_FALSE(channel.end.send(tine::Text{""}, sent.callback()));
  channel.end.send(tine::Text{"[1, 2]"}, {});
  channel.end.flush();
  CHECK(channel.peer.read_available() == "1\n[1, 2]\n");
  channel.run_to_end();
  REQUIRE(sent.codes.size() == 5);
  for (const auto code : sent.codes) CHECK(code == Errc::invalid_value);
}

TEST_CASE("endpoint: text that Node may send is accepted unchanged", "[channel]") {
  Channel channel;
  for (const char* const text : {"\"\\ud800\"", "100000000000000000000", "{\"a\":1,\"a\":2}"}) {
    CHECK(channel.end.send(tine::Text{text}, {}));
    channel.end.flush();
    CHECK(channel.peer.read_available() == text + std::string("\n"));
  }
  channel.run_to_end();
}

// --- ending

TEST_CASE("endpoint: disconnect() writes what was accepted, then closes", "[channel]") {
  Channel channel;
  Sent sent;
  std::string expected;
  for (int i = 0; i < 10'000; ++i) {
    channel.end.send(json{{"number", i}, {"text", std::string(100, 'x')}}, sent.callback());
    expected += json{{"number", i}, {"text", std::string(100, 'x')}}.dump() + '\n';
  }
  channel.end.disconnect();
  CHECK_FALSE(channel.end.connected());
  CHECK(channel.log.empty());
  std::string received;
  std::function<void()> read = [&] {
    received += channel.peer.read_available();
    if (!channel.end.closed()) channel.loop->after(0ms, read);
  };
  read();
  channel.loop.run();
  received += channel.peer.read_to_end();
  CHECK(received == expected);
  CHECK(sent.codes == std::vector<std::error_code>(10'000));
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("endpoint: messages are delivered while disconnect() waits for the peer to read",
          "[channel]") {
  Channel channel;
  while (channel.end.send(json(std::string(100'000, 'x')), {})) {
  }
  channel.end.disconnect();
  channel.peer.write("1\n2\n");
  channel.owner->at_message_ = [&] {
    if (channel.log.size() == 2) channel.peer.close();
  };
  channel.loop.run();
  CHECK(channel.log == Log{"1", "2", "loss", "disconnect"});
}

TEST_CASE("endpoint: disconnect() gives up on a peer that reads nothing", "[channel]") {
  Channel channel({.flush_timeout = 50ms});
  Sent sent;
  for (int i = 0; i < 10; ++i) channel.end.send(json(std::string(100'000, 'x')), sent.callback());
  channel.end.disconnect();
  channel.loop.run();
  CHECK(channel.log == Log{"disconnect"});
  REQUIRE(sent.codes.size() == 10);
  CHECK(sent.codes.front() == std::error_code());
  CHECK(sent.codes.back() == std::errc::operation_canceled);
  const std::string received = channel.peer.read_to_end();
  const auto lines = std::count(received.begin(), received.end(), '\n');
  CHECK(std::count(sent.codes.begin(), sent.codes.end(), std::error_code()) == lines);
}

TEST_CASE("endpoint: a loop that runs only to write gives up on a peer that reads nothing",
          "[channel]") {
  Channel channel({.flush_timeout = 50ms});
  while (channel.end.send(json(std::string(100'000, 'x')), {})) {
  }
  channel.end.set_ref(false);
  channel.loop.run();
  CHECK(channel.log == Log{"loss", "disconnect"});
  CHECK(channel.owner->errors_[0].code() == std::errc::operation_canceled);
}

TEST_CASE("endpoint: a loop that had other work to do still waits a whole timeout for the write",
          "[channel]") {
  Channel channel({.flush_timeout = 100ms});
  while (channel.end.send(json(std::string(100'000, 'x')), {})) {
  }
  channel.end.set_ref(false);
  channel.loop->after(150ms, [] {});
  auto before_the_end = channel.loop->after(250ms, [&] { channel.log.emplace_back("before"); });
  before_the_end.unref();
  channel.loop.run();
  before_the_end.cancel();
  CHECK(channel.log == Log{"before", "loss", "disconnect"});
}

TEST_CASE("endpoint: a peer that reads slowly keeps the channel open", "[channel]") {
  Channel channel({.flush_timeout = 100ms});
  while (channel.end.send(json(std::string(100'000, 'x')), {})) {
  }
  auto stop = channel.loop->after(350ms, [&] { channel.loop->stop(); });
  stop.unref();  // so that the channel alone keeps the loop running, also when all is written
  channel.loop.run();
  CHECK(channel.end.connected());
  channel.peer.read_available();
  channel.end.disconnect();
  std::function<void()> read = [&] {
    channel.peer.read_available();
    if (!channel.end.closed()) channel.loop->after(1ms, read);
  };
  read();
  channel.loop.run();
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("endpoint: when the peer goes away, callbacks report what was written and what was not",
          "[channel]") {
  Channel channel;
  Sent sent;
  for (int i = 0; i < 10; ++i) channel.end.send(json(std::string(100'000, 'x')), sent.callback());
  for (int i = 0; i < 3; ++i) channel.end.send(json(i), {});
  channel.run_to_end();
  REQUIRE(sent.codes.size() == 10);
  CHECK(sent.codes.back().category() == std::generic_category());
  CHECK(channel.log == Log{"loss", "disconnect"});
  CHECK_THAT(channel.owner->errors_[0].what(), ContainsSubstring("3 sent message(s)"));
  const auto written = std::count(sent.codes.begin(), sent.codes.end(), std::error_code());
  CHECK(channel.end.lost_messages() == static_cast<std::size_t>(13 - written));
}

TEST_CASE("endpoint: a write to a closed peer ends the channel, after the peer's messages",
          "[channel]") {
  Channel channel;
  channel.peer.write("1\n");
  channel.peer.close();
  Sent sent;
  channel.end.send(json("late"), sent.callback());
  channel.loop.run();
  CHECK(channel.log == Log{"1", "disconnect"});
  REQUIRE(sent.codes.size() == 1);
  CHECK(sent.codes[0] == std::errc::broken_pipe);
}

TEST_CASE("endpoint: a peer that shuts down reading ends the channel at the next write",
          "[channel]") {
  Channel channel;
  channel.peer.refuse_reading();
  channel.peer.write("1\n");
  channel.owner->at_message_ = [&] { channel.end.send(json(1), {}); };
  channel.loop.run();
  CHECK(channel.log == Log{"1", "loss", "disconnect"});
}

TEST_CASE(
    "endpoint: after the end, send() is a loss on a later turn, and disconnect() does nothing",
    "[channel]") {
  Channel channel;
  channel.run_to_end();
  channel.log.clear();
  Sent sent;
  CHECK_FALSE(channel.end.send(json(1), sent.callback()));
  CHECK_FALSE(channel.end.send(json(1), {}));
  channel.end.disconnect();
  CHECK(channel.log.empty());
  channel.loop.run();
  REQUIRE(sent.codes.size() == 1);
  CHECK(sent.codes[0] == Errc::channel_closed);
  CHECK(channel.log == Log{"loss"});
  CHECK(channel.end.lost_messages() == 2);
}

TEST_CASE("endpoint: disconnect() inside a listener delivers the rest of the read first",
          "[channel]") {
  Channel channel;
  channel.peer.write("1\n2\n");
  channel.owner->at_message_ = [&] {
    if (channel.end.connected()) channel.end.disconnect();
  };
  channel.loop.run();
  CHECK(channel.log == Log{"1", "2", "disconnect"});
}

TEST_CASE("endpoint: after a listener has called detach(), nothing is delivered", "[channel]") {
  Channel channel;
  channel.peer.write("1\n2\n");
  channel.owner->at_message_ = [&] { channel.end.detach(); };
  channel.loop.run();
  CHECK(channel.log == Log{"1"});
  CHECK(channel.peer.at_end());
}

TEST_CASE("endpoint: disconnect() waits for a peer that reads slowly", "[channel]") {
  Channel channel({.flush_timeout = 200ms});
  Sent sent;
  for (int i = 0; i < 10; ++i) channel.end.send(json(std::string(100'000, 'x')), sent.callback());
  channel.end.disconnect();
  std::size_t received = 0;
  std::function<void()> read = [&] {
    received += channel.peer.read_some(40'000).size();
    if (!channel.end.closed()) channel.loop->after(40ms, read);
  };
  read();
  channel.loop.run();
  CHECK(sent.codes == std::vector<std::error_code>(10));
  CHECK(received + channel.peer.read_to_end().size() == 10 * 100'003);
}

TEST_CASE("endpoint: flush_timeout begins with disconnect()", "[channel]") {
  using Clock = std::chrono::steady_clock;
  Channel channel({.flush_timeout = 300ms});
  while (channel.end.send(json(std::string(100'000, 'x')), {})) {
  }
  Clock::time_point disconnected;
  channel.loop->after(250ms, [&] {
    disconnected = Clock::now();
    channel.end.disconnect();
  });
  channel.loop.run();
  CHECK(Clock::now() - disconnected >= 300ms);
  CHECK(channel.log == Log{"loss", "disconnect"});
}

TEST_CASE("endpoint: disconnect() gives up after one flush_timeout, not two", "[channel]") {
  Channel channel({.flush_timeout = 100ms});
  while (channel.end.send(json(std::string(100'000, 'x')), {})) {
  }
  channel.end.disconnect();
  channel.loop->after(150ms, [&] { channel.log.emplace_back("later"); });
  channel.loop.run();
  CHECK(channel.log == Log{"loss", "disconnect", "later"});
}

TEST_CASE("endpoint: with a send_mark of 0, a message that is written at once causes no drain",
          "[channel]") {
  Channel channel({.send_mark = 0});
  channel.send_densely();
  CHECK(channel.end.send(json(1), {}));
  CHECK_FALSE(channel.end.send(json(2), {}));
  channel.run_until([&] { return !channel.log.empty(); });
  CHECK(channel.log == Log{"drain"});
  channel.run_to_end();
}

TEST_CASE("endpoint: drain follows a refused message, even if the mark was not reached",
          "[channel]") {
  Channel channel({.send_mark = 10'000'000, .send_limit = 600'000});
  const json message = std::string(500'000, 'x');
  CHECK(channel.end.send(message, {}));
  CHECK_FALSE(channel.end.send(message, [](std::error_code) {}));
  std::function<void()> read = [&] {
    channel.peer.read_available();
    if (channel.log.empty()) return static_cast<void>(channel.loop->after(1ms, read));
    channel.loop->stop();
  };
  read();
  channel.loop.run();
  CHECK(channel.log == Log{"drain"});
  channel.run_to_end();
}

TEST_CASE("endpoint: alternating good and bad lines let the rest of the loop run", "[channel]") {
  Channel channel;
  std::string lines;
  for (int i = 0; i < 8000; ++i) lines += "1\n{:}\n";
  channel.peer.write(lines);
  std::size_t delivered = 0;
  channel.loop->after(1ms, [&] { delivered = channel.log.size(); });
  channel.run_to_end();
  CHECK(delivered < 16'000);
  CHECK(channel.log.size() == 16'001);
}

TEST_CASE("endpoint: disconnect() closes the socket at once, even while reading is paused",
          "[channel]") {
  Channel channel;
  channel.end.set_paused(true);
  channel.end.disconnect();
  CHECK(channel.peer.at_end());
  channel.loop.run();
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("endpoint: the end of the peer is noticed while paused, without a free descriptor",
          "[channel]") {
  Channel channel;
  const NoDescriptors limit;
  channel.end.set_paused(true);
  channel.peer.close();
  channel.loop.run();
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("endpoint: lines with Bun's mark are internal", "[channel]") {
  Channel channel;
  channel.owner->wanted_ = GENERATE(Wanted::value, Wanted::text, Wanted::nothing);
  channel.peer.write(
      "\x02{\"cmd\":\"NODE_CLUSTER\",\"act\":\"online\"}\n\x02{\"act\":\"disconnect\"}\n\x02[5]\n");
  channel.run_to_end();
  CHECK(channel.owner->internal_ == Log{R"({"act":"online","cmd":"NODE_CLUSTER"})",
                                        R"({"act":"disconnect","cmd":"NODE_CLUSTER"})", "[5]"});
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("endpoint: our internal lines get Bun's mark if those of the peer have it", "[channel]") {
  Channel channel;
  channel.end.send_internal(tine::object("cmd", "NODE_CLUSTER"));
  CHECK(channel.peer.read_available() == "{\"cmd\":\"NODE_CLUSTER\"}\n");
  channel.peer.write("\x02{}\n");
  channel.run_until([&] { return channel.owner->internal_.size() == 1; });
  channel.end.send_internal(tine::object("cmd", "NODE_CLUSTER"));
  channel.end.send(json{{"cmd", "users"}}, {});
  CHECK(channel.peer.read_available() == "\x02{\"cmd\":\"NODE_CLUSTER\"}\n{\"cmd\":\"users\"}\n");
  channel.run_to_end();
}

TEST_CASE("endpoint: a bad line with Bun's mark is an error like any other", "[channel]") {
  Channel channel;
  channel.peer.write("\x02{]\n\x02\n1\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"error", "1", "disconnect"});
}
