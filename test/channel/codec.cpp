// Inbox and outbox depend on no serialization: what they do with JSON lines, they do with V8's values
// and with CBOR behind lengths, whose bytes may be line feeds and are no text.
#include "wire/codec.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "channel/inbox.hpp"
#include "channel/outbox.hpp"
#include "support/catch.hpp"
#include "support/cbor_codec.hpp"
#include "wire/advanced.hpp"
#include "wire/json_lines.hpp"

using nlohmann::json;
using tine::Errc;
using tine::channel::Inbox;
using tine::channel::Outbox;
using tine::channel::PassedHandle;
using tine::channel::Wanted;
using tine::wire::Answer;
using tine::wire::Codec;
using Kind = Inbox::Kind;
using Log = std::vector<std::string>;

namespace {

std::unique_ptr<Codec> json_lines() {
  return std::make_unique<tine::wire::JsonLines>(tine::ChannelOptions().max_depth);
}
std::unique_ptr<Codec> advanced() {
  return std::make_unique<tine::wire::Advanced>(tine::ChannelOptions().max_depth);
}
std::unique_ptr<Codec> cbor() { return std::make_unique<CborCodec>(); }

using Make = std::unique_ptr<Codec> (*)();

// One end of a channel, without a stream.
struct End {
  explicit End(Make make, const tine::ChannelOptions& options = {})
      : codec(make()), inbox(*codec, options), outbox(*codec, options) {}

  void send(const json& message) {
    tine::SendCallback nobody;
    REQUIRE_FALSE(outbox.add(message, nobody));
  }

  void send_with_handle(const json& message) {
    PassedHandle handle{.type = "net.Socket", .members = {{"key", "a key"}}};
    handle.descriptors.emplace_back(dup(STDIN_FILENO));
    tine::SendCallback nobody;
    REQUIRE_FALSE(outbox.add(message, handle, nobody));
  }

  // Returns at most `most` bytes that the outbox has to write, and counts them as written.
  std::string write(std::size_t most = std::string::npos) {
    std::string all;
    while (all.size() < most) {
      const Outbox::Piece piece = outbox.front();
      if (piece.bytes.empty()) break;
      const std::string bytes(std::string(piece.bytes).append(piece.then), 0, most - all.size());
      outbox.written(bytes.size());
      all += bytes;
    }
    return all;
  }

  void read(std::string_view bytes) {
    const auto room = inbox.room();
    REQUIRE(room.size() >= bytes.size());
    std::copy(bytes.begin(), bytes.end(), room.begin());
    inbox.advance(bytes.size());
  }

  // Returns what the inbox has to deliver.
  Log deliver(Wanted wanted, bool parse = false) {
    Log log;
    while (true) {
      const Inbox::Item item = inbox.next(wanted, parse);
      switch (item.kind) {
        case Kind::nothing: return log;
        case Kind::message:
          log.push_back(wanted == Wanted::text ? "text " + std::string(item.text)
                                               : inbox.value().dump());
          break;
        case Kind::internal: log.push_back("internal " + std::string(item.command)); break;
        case Kind::bad: log.push_back("bad " + std::to_string(item.bad_frames)); break;
        case Kind::overflow: log.emplace_back("overflow"); break;
      }
    }
  }

  std::unique_ptr<Codec> codec;
  Inbox inbox;
  Outbox outbox;
};

std::string bad_frame(const Codec& codec) {
  return codec.content_is_text() ? "\xFF\n" : length_frame("\xFF");
}

// Some of these are line feeds in CBOR, or in V8's format.
const std::vector<json> messages{10, {{"a", "\n\n"}}, json::array({10, 5}), "", nullptr};

}  // namespace

TEST_CASE("channel codec: messages arrive as they were sent, when the bytes are cut anywhere",
          "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const Wanted wanted = GENERATE(Wanted::value, Wanted::text);
  Log expected;
  End sender(make);
  for (const json& message : messages) {
    sender.send(message);
    expected.push_back((wanted == Wanted::text ? "text " : "") + message.dump());
  }
  const std::string stream = sender.write();
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    CAPTURE(cut);
    End receiver(make);
    receiver.read(std::string_view(stream).substr(0, cut));
    Log log = receiver.deliver(wanted);
    receiver.read(std::string_view(stream).substr(cut));
    for (std::string& line : receiver.deliver(wanted)) log.push_back(std::move(line));
    REQUIRE(log == expected);
    CHECK(receiver.inbox.stored() == 0);
  }
}

TEST_CASE("channel codec: a text is sent as the message that it is", "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  End end(make);
  tine::SendCallback nobody;
  REQUIRE_FALSE(end.outbox.add(tine::Text{R"({"a":[1,2]})"}, nobody));
  const auto refused = end.outbox.add(tine::Text{"{"}, nobody);
  REQUIRE(refused);
  CHECK(refused->code() == Errc::invalid_value);
  end.read(end.write());
  CHECK(end.deliver(Wanted::value) == Log{R"({"a":[1,2]})"});
}

TEST_CASE("channel codec: what is refused leaves nothing behind", "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  End end(make);
  tine::SendCallback nobody;
  PassedHandle handle{.type = "net.Socket"};
  CHECK(end.outbox.add(json("\xFF"), nobody));
  CHECK(end.outbox.add(json("\xFF"), handle, nobody));
  CHECK(end.outbox.empty());
  end.send(1);
  end.read(end.write());
  CHECK(end.deliver(Wanted::value) == Log{"1"});
}

TEST_CASE("channel codec: an internal message is found, whatever is wanted", "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const Wanted wanted = GENERATE(Wanted::nothing, Wanted::text, Wanted::value);
  End end(make);
  end.send({{"cmd", "NODE_X"}, {"a", 10}});
  end.send({{"cmd", "NODE_"}});
  end.read(end.write());
  const Inbox::Item item = end.inbox.next(wanted);
  CHECK(item.kind == Kind::internal);
  CHECK(item.command == "NODE_X");
  CHECK(end.inbox.value() == json{{"cmd", "NODE_X"}, {"a", 10}});
  CHECK(json::parse(end.inbox.text(item)) == end.inbox.value());
  CHECK(end.deliver(Wanted::value) == Log{R"({"cmd":"NODE_"})"});
}

TEST_CASE("channel codec: messages that wait for a listener keep their bytes", "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const Wanted wanted = GENERATE(Wanted::value, Wanted::text);
  const bool parse = GENERATE(true, false);
  End end(make);
  Log expected;
  for (const json& message : messages) {
    end.send(message);
    expected.push_back((wanted == Wanted::text ? "text " : "") + message.dump());
  }
  const std::string stream = end.write();
  end.read(stream);
  if (parse) {
    while (end.inbox.next(Wanted::nothing, true).kind == Kind::message) end.inbox.store_last();
  } else {
    CHECK(end.deliver(Wanted::nothing).empty());
  }
  CHECK(end.inbox.stored() == stream.size());
  CHECK(end.inbox.has_frame());
  CHECK(end.deliver(wanted) == expected);
  CHECK(end.inbox.stored() == 0);
}

TEST_CASE("channel codec: the text of a message is at hand for a trace", "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  End end(make);
  end.send({{"a", 10}});
  CHECK(end.outbox.last() == R"({"a":10})");
  end.read(end.write());
  const Inbox::Item item = end.inbox.next(Wanted::value);
  CHECK((item.text.data() == nullptr) == !end.codec->content_is_text());
  CHECK(end.inbox.text(item) == R"({"a":10})");
  end.read(bad_frame(*end.codec));
  CHECK(end.inbox.text(end.inbox.next(Wanted::value)).empty());
}

TEST_CASE("channel codec: a handle goes beside the first byte of its frame, and is found there",
          "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const bool stored = GENERATE(true, false);
  End sender(make);
  sender.send(10);
  sender.send_with_handle({{"a", 10}});
  sender.send(11);
  const std::string before = sender.write(sender.outbox.front().bytes.size());
  const auto piece = sender.outbox.front();
  CHECK(piece.beside.size() == 1);
  const std::string frame(piece.bytes);
  sender.outbox.written(1);
  CHECK(sender.outbox.front().beside.empty());
  sender.outbox.written(frame.size() - 1);
  CHECK(sender.outbox.awaits_answer());
  CHECK(sender.write().empty());

  // The descriptor comes with the last byte of a read.
  End receiver(make);
  std::vector<tine::base::Descriptor> came;
  came.emplace_back(dup(STDIN_FILENO));
  REQUIRE(receiver.inbox.take(came));
  receiver.read(before + frame.substr(0, 1));
  receiver.read(frame.substr(1));
  if (!stored) CHECK(receiver.inbox.next(Wanted::value).kind == Kind::message);
  Inbox::Item item = receiver.inbox.next(stored ? Wanted::nothing : Wanted::value);
  REQUIRE(item.command == "NODE_HANDLE");
  auto descriptors = receiver.inbox.descriptors_of(item, 1);
  CHECK(descriptors.size() == 1);
  if (stored) {
    receiver.inbox.store_last(descriptors);
    CHECK(receiver.inbox.next(Wanted::value).kind == Kind::message);
    item = receiver.inbox.next(Wanted::value);
    REQUIRE(item.command == "NODE_HANDLE");
    CHECK(item.stored);
    CHECK(receiver.inbox.descriptors_of(item, 1).size() == 1);
  }
  CHECK(
      receiver.inbox.value() ==
      json{{"cmd", "NODE_HANDLE"}, {"type", "net.Socket"}, {"msg", {{"a", 10}}}, {"key", "a key"}});

  receiver.outbox.answer(Answer::ack);
  sender.read(receiver.write());
  CHECK(sender.deliver(Wanted::nothing) == Log{"internal NODE_HANDLE_ACK"});
  CHECK(sender.outbox.answered(true) == Outbox::Answered::arrived);
  receiver.read(sender.write());
  CHECK(receiver.deliver(Wanted::value) == Log{"11"});
}

TEST_CASE("channel codec: an answer goes out between two frames, wherever the writing stopped",
          "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  End whole(make);
  for (const json& message : messages) whole.send(message);
  const std::string stream = whole.write();
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    CAPTURE(cut);
    End end(make);
    for (const json& message : messages) end.send(message);
    std::string written = end.write(cut);
    end.outbox.answer(Answer::nack);
    // Byte by byte, so that the place is looked for again and again.
    while (!end.outbox.empty()) written += end.write(1);
    const std::size_t place = end.codec->framing().end_of_frame(stream, cut);
    const std::string answer(end.codec->answer(Answer::nack));
    REQUIRE(written == stream.substr(0, place) + answer + stream.substr(place));
  }
}

TEST_CASE("channel codec: lost messages are counted, wherever the writing stopped", "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  End whole(make);
  for (const json& message : messages) whole.send(message);
  const std::string stream = whole.write();
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    CAPTURE(cut);
    End end(make);
    for (const json& message : messages) end.send(message);
    end.write(cut);
    end.send(10);  // is in the other buffer, if the first one is not written
    const auto lost = end.outbox.cancel(Errc::channel_closed);
    const std::size_t written = end.codec->framing().count_complete(stream.substr(0, cut));
    REQUIRE(lost.messages == messages.size() - written + 1);
    REQUIRE(lost.without_callback == lost.messages);
  }
}

TEST_CASE("channel codec: bad frames in a row are one error, and the next one arrives",
          "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  End end(make);
  const std::string bad = bad_frame(*end.codec);
  end.send(10);
  const std::string good = end.write();
  end.read(good + bad + bad + bad + good + bad);
  CHECK(end.deliver(Wanted::value) == Log{"10", "bad 3", "10", "bad 1"});
}

TEST_CASE("channel codec: messages that are no text are read for a listener of texts",
          "[channel]") {
  End end(GENERATE(Make{cbor}, Make{advanced}));
  end.send(10);
  const std::string good = end.write();
  end.read(good + bad_frame(*end.codec) + good);
  CHECK(end.deliver(Wanted::text) == Log{"text 10", "bad 1", "text 10"});
}

TEST_CASE("channel codec: a message past max_line ends the stream", "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  End end(make, {.max_line = 12});  // what V8 needs for the first one
  end.send("12345678");
  end.send("a longer message");
  end.read(end.write());
  CHECK(end.deliver(Wanted::value) == Log{"\"12345678\"", "overflow"});
  CHECK(end.deliver(Wanted::value).empty());
}

TEST_CASE("channel codec: bytes of an unfinished message are counted", "[channel]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  End end(make);
  for (const json& message : messages) end.send(message);
  const std::string stream = end.write();
  end.read(std::string_view(stream).substr(0, stream.size() - 1));
  const std::size_t complete =
      end.codec->framing().size_of_complete(stream.substr(0, stream.size() - 1));
  CHECK(end.inbox.unfinished() == stream.size() - 1 - complete);
  end.deliver(Wanted::value);
  CHECK(end.inbox.unfinished() == stream.size() - 1 - complete);
}
