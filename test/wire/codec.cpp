// The codecs of tine, what each codec has to do, and a third one that has to do the same.
#include "wire/codec.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "support/catch.hpp"
#include "support/cbor_codec.hpp"
#include "wire/advanced.hpp"
#include "wire/frame_decoder.hpp"
#include "wire/json_lines.hpp"

using nlohmann::json;
using tine::base::ByteBuffer;
using tine::wire::Advanced;
using tine::wire::AnnouncedHandle;
using tine::wire::Answer;
using tine::wire::Codec;
using tine::wire::FrameDecoder;
using tine::wire::From;
using tine::wire::JsonLines;

namespace {

constexpr std::size_t max_depth = 10;
constexpr std::size_t no_limit = std::size_t{1} << 40;
const json no_members;

std::unique_ptr<Codec> json_lines() { return std::make_unique<JsonLines>(max_depth); }
std::unique_ptr<Codec> advanced() { return std::make_unique<Advanced>(max_depth); }
std::unique_ptr<Codec> cbor() { return std::make_unique<CborCodec>(); }

using Make = std::unique_ptr<Codec> (*)();

const std::vector<json> messages{{{"a", 1}},
                                 "é\n😀",
                                 nullptr,
                                 json::array(),
                                 {{"cmd", "NODE_"}},
                                 -5,
                                 json(std::string(300, 'x'))};

std::string written(Codec& codec, const json& message, From from = From::user,
                    const AnnouncedHandle* handle = nullptr) {
  ByteBuffer out;
  REQUIRE_FALSE(codec.write(message, from, handle, out));
  return std::string(out.view());
}

std::string written_text(Codec& codec, std::string_view text,
                         const AnnouncedHandle* handle = nullptr) {
  ByteBuffer out;
  REQUIRE_FALSE(codec.write_text(text, From::user, handle, out));
  return std::string(out.view());
}

void feed(FrameDecoder& decoder, std::string_view bytes) {
  std::copy(bytes.begin(), bytes.end(), decoder.room(bytes.size()).begin());
  decoder.advance(bytes.size());
}

// What reading one frame has given.
struct Result {
  json value = {{"other", "message"}};
  std::string command = {};
  std::string bad = {};
};

// Reads the only frame of `bytes`, over the value of another message.
Result read_one(Codec& codec, std::string_view bytes) {
  FrameDecoder decoder(codec.framing(), no_limit);
  feed(decoder, bytes);
  const auto content = decoder.next();
  REQUIRE(content);
  REQUIRE(decoder.pending() == 0);
  Result result;
  const Codec::Read read = codec.read(*content, result.value);
  result.command = read.command;
  if (read.bad) result.bad = read.bad->text();
  return result;
}

// Appends the values of all frames that have arrived.
void read_all(Codec& codec, FrameDecoder& decoder, json& value, std::vector<json>& values) {
  codec.read_ahead(decoder);
  while (const auto content = decoder.next()) {
    REQUIRE_FALSE(codec.read(*content, value).bad);
    values.push_back(value);
  }
  codec.stop_reading_ahead();
}

}  // namespace

TEST_CASE("codec: what was written is read, when the stream is cut anywhere", "[wire]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const auto codec = make();
  std::string stream;
  for (const json& message : messages) stream += written(*codec, message);
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    CAPTURE(cut);
    FrameDecoder decoder(codec->framing(), no_limit);
    json value;
    std::vector<json> values;
    feed(decoder, stream.substr(0, cut));
    read_all(*codec, decoder, value, values);
    feed(decoder, stream.substr(cut));
    read_all(*codec, decoder, value, values);
    REQUIRE(values == messages);
  }
}

TEST_CASE("codec: a text is written as its value is", "[wire]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const auto codec = make();
  for (const json& message : messages) {
    CHECK(written_text(*codec, message.dump()) == written(*codec, message));
  }
}

TEST_CASE("codec: a message is one frame, and its text is JSON", "[wire]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const auto codec = make();
  for (const json& message : messages) {
    const std::string frame = written(*codec, message);
    CHECK(codec->framing().count_complete(frame) == 1);
    FrameDecoder decoder(codec->framing(), no_limit);
    feed(decoder, frame);
    const std::string_view content = *decoder.next();
    CHECK(codec->text(content, nullptr) == message.dump());
    CHECK(codec->text(content, &message) == message.dump());
    CHECK((codec->text(content, nullptr).data() == content.data()) == codec->content_is_text());
  }
}

TEST_CASE("codec: an internal message has its command, and may be one before it is read",
          "[wire]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const auto codec = make();
  const std::string frame = written(*codec, {{"cmd", "NODE_X"}, {"a", 1}}, From::channel);
  const Result result = read_one(*codec, frame);
  CHECK(result.command == "NODE_X");
  CHECK(result.value == json{{"cmd", "NODE_X"}, {"a", 1}});
  CHECK(codec->may_be_internal(frame));
  CHECK(read_one(*codec, written(*codec, {{"cmd", "NODE_"}})).command.empty());
  CHECK_FALSE(codec->may_be_internal(written(*codec, {{"cmd", "node_x"}})));
}

TEST_CASE("codec: a frame announces a handle with its type, the message, and further members",
          "[wire]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const auto codec = make();
  const json members{{"key", "4:\"127.0.0.1\":80"}};
  const AnnouncedHandle handle{"net.Socket", members};
  const json expected{{"cmd", "NODE_HANDLE"},
                      {"type", "net.Socket"},
                      {"msg", {{"a", 1}}},
                      {"key", "4:\"127.0.0.1\":80"}};
  const Result result = read_one(*codec, written(*codec, {{"a", 1}}, From::user, &handle));
  CHECK(result.command == "NODE_HANDLE");
  CHECK(result.value == expected);
  CHECK(read_one(*codec, written_text(*codec, R"({"a":1})", &handle)).value == expected);
}

TEST_CASE("codec: an answer is the frame of an internal message", "[wire]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const auto codec = make();
  CHECK(read_one(*codec, codec->answer(Answer::ack)).command == "NODE_HANDLE_ACK");
  CHECK(read_one(*codec, codec->answer(Answer::nack)).command == "NODE_HANDLE_NACK");
}

TEST_CASE("codec: what cannot be written has a reason", "[wire]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const auto codec = make();
  const AnnouncedHandle handle{"net.Socket", no_members};
  ByteBuffer out;
  CHECK(codec->write(json("\xFF"), From::user, nullptr, out) == "a string is not valid UTF-8");
  CHECK(codec->write(json("\xFF"), From::user, &handle, out) == "a string is not valid UTF-8");
  CHECK(codec->write_text("{", From::user, nullptr, out));
  CHECK(codec->write_text("{", From::user, &handle, out));
}

TEST_CASE("codec: a frame that is no message has a reason, and the next one is read", "[wire]") {
  const Make make = GENERATE(Make{json_lines}, Make{cbor}, Make{advanced});
  const auto codec = make();
  const std::string bad = codec->content_is_text() ? "x\n" : length_frame("\xFF");
  CHECK_FALSE(read_one(*codec, bad).bad.empty());
  CHECK(read_one(*codec, bad).command.empty());
  CHECK(read_one(*codec, written(*codec, {{"a", 1}})).value == json{{"a", 1}});
}

// --- JSON lines

TEST_CASE("json lines: a message is its text and a line feed", "[wire]") {
  JsonLines codec(max_depth);
  CHECK(written(codec, {{"a", {1, "é\n"}}}) == "{\"a\":[1,\"é\\n\"]}\n");
  CHECK(written_text(codec, " [ 1 ]\t") == " [ 1 ]\t\n");
}

TEST_CASE("json lines: the line of a handle has its members in Node's order", "[wire]") {
  JsonLines codec(max_depth);
  const AnnouncedHandle plain{"net.Server", no_members};
  CHECK(written(codec, 1, From::user, &plain) ==
        "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Server\",\"msg\":1}\n");
  const json members{{"count", 2}, {"key", "a\"b"}};
  const AnnouncedHandle handle{"net.Socket", members};
  CHECK(written_text(codec, "[ ]", &handle) ==
        "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":[ ],\"count\":2,"
        "\"key\":\"a\\\"b\"}\n");
  CHECK(codec.answer(Answer::ack) == "{\"cmd\":\"NODE_HANDLE_ACK\"}\n");
  CHECK(codec.answer(Answer::nack) == "{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
}

TEST_CASE("json lines: a text with an error or a line feed is refused, and its place is told",
          "[wire]") {
  JsonLines codec(max_depth);
  const AnnouncedHandle handle{"net.Server", no_members};
  ByteBuffer out;
  out.append("before");
  for (const AnnouncedHandle* const beside :
       {static_cast<const AnnouncedHandle*>(nullptr), &handle}) {
    const auto bad = codec.write_text("[1,}", From::user, beside, out);
    REQUIRE(bad);
    CHECK(bad->offset == 3);
    CHECK(bad->excerpt == "[1,}");
    const auto feed = codec.write_text("[1,\n2]", From::user, beside, out);
    REQUIRE(feed);
    CHECK(feed->offset == 3);
    CHECK(feed->reason == "a line feed, which ends a message");
  }
}

TEST_CASE("json lines: a member of a handle that cannot be written refuses its message", "[wire]") {
  JsonLines codec(max_depth);
  const json members{{"key", "\xFF"}};
  const AnnouncedHandle handle{"net.Socket", members};
  ByteBuffer out;
  CHECK(codec.write(json(1), From::user, &handle, out) == "a string is not valid UTF-8");
  const auto bad = codec.write_text("1", From::user, &handle, out);
  REQUIRE(bad);
  CHECK(bad->reason == "a string is not valid UTF-8");
}

TEST_CASE("json lines: nesting past the depth is refused and is an error", "[wire]") {
  JsonLines codec(2);
  ByteBuffer out;
  CHECK_FALSE(codec.write(json::parse("[[1]]"), From::user, nullptr, out));
  CHECK(codec.write(json::parse("[[[1]]]"), From::user, nullptr, out));
  CHECK_FALSE(codec.write_text("[[1]]", From::user, nullptr, out));
  CHECK(codec.write_text("[[[1]]]", From::user, nullptr, out));
  CHECK(read_one(codec, "[[1]]\n").bad.empty());
  CHECK_FALSE(read_one(codec, "[[[1]]]\n").bad.empty());
}

TEST_CASE("json lines: a line with Bun's mark is internal, with a command or without", "[wire]") {
  JsonLines codec(max_depth);
  const Result with = read_one(codec, "\x02{\"cmd\":\"NODE_X\"}\n");
  CHECK(with.command == "NODE_X");
  const Result without = read_one(codec, "\x02{\"ack\":1}\n");
  CHECK(without.command == "NODE_CLUSTER");
  CHECK(without.value == json{{"cmd", "NODE_CLUSTER"}, {"ack", 1}});
  const Result scalar = read_one(codec,
                                 "\x02"
                                 "5\n");
  CHECK(scalar.command == "NODE_CLUSTER");
  CHECK(scalar.value == 5);
}

TEST_CASE("json lines: the channel's own lines are marked, once the peer has marked one",
          "[wire]") {
  JsonLines codec(max_depth);
  const AnnouncedHandle handle{"net.Native", no_members};
  const json own{{"cmd", "NODE_X"}};
  CHECK(written(codec, own, From::channel) == "{\"cmd\":\"NODE_X\"}\n");
  CHECK_FALSE(read_one(codec, "\x02x\n").bad.empty());
  CHECK(written(codec, own, From::channel) == "{\"cmd\":\"NODE_X\"}\n");
  read_one(codec, "\x02{\"cmd\":\"NODE_CLUSTER\"}\n");
  CHECK(written(codec, own, From::channel) == "\x02{\"cmd\":\"NODE_X\"}\n");
  CHECK(written(codec, own, From::user) == "{\"cmd\":\"NODE_X\"}\n");
  CHECK(written(codec, 1, From::channel, &handle)[0] == '{');
}

// --- advanced

TEST_CASE("advanced: undefined members of an internal message are absent", "[wire]") {
  Advanced codec(max_depth);
  const json undefined{{"$undefined", true}};
  const json member{{"cmd", "NODE_X"}, {"fd", undefined}, {"data", nullptr}, {"a", {{"b", 1}}}};
  const Result internal = read_one(codec, written(codec, member, From::channel));
  CHECK(internal.command == "NODE_X");
  CHECK(internal.value == json{{"cmd", "NODE_X"}, {"data", nullptr}, {"a", {{"b", 1}}}});

  const json user{{"cmd", "NODE_"}, {"fd", undefined}};
  CHECK(read_one(codec, written(codec, user)).value == user);
}

TEST_CASE("advanced: undefined members stay in the message beside a handle, unless it is internal",
          "[wire]") {
  Advanced codec(max_depth);
  const json undefined{{"$undefined", true}};
  const auto message_of = [&](const json& message) {
    const json line{{"cmd", "NODE_HANDLE"}, {"key", undefined}, {"msg", message}};
    const json read = read_one(codec, written(codec, line)).value;
    CHECK(read.size() == 2);
    return read["msg"];
  };
  CHECK(message_of(undefined) == undefined);
  CHECK(message_of({{"a", undefined}}) == json{{"a", undefined}});
  CHECK(message_of({{"cmd", "NODE_X"}, {"a", undefined}}) == json{{"cmd", "NODE_X"}});

  // Node wraps a handle that it sends again.
  const json again{
      {"cmd", "NODE_HANDLE"}, {"key", undefined}, {"msg", {{"cmd", "NODE_X"}, {"a", undefined}}}};
  CHECK(message_of(again) == json{{"cmd", "NODE_HANDLE"}, {"msg", {{"cmd", "NODE_X"}}}});
}

TEST_CASE("advanced: references in a message beside a handle stay in it", "[wire]") {
  Advanced codec(max_depth);
  const json members{{"key", "a key"}};
  const AnnouncedHandle handle{"net.Socket", members};
  const json circular{{"list", {{{"x", 1}}, {{"$ref", "1/0"}}}}, {"self", {{"$ref", "1"}}}};
  const std::string frame = written(codec, circular, From::user, &handle);
  CHECK(read_one(codec, frame).value["msg"] == circular);

  // In V8's numbers, the message is object 1 of the frame.
  CHECK(frame.find("\"\4self^\1{\2{\4") != frame.npos);
  // Node wraps a handle that it sends again.
  const json wrapped{{"cmd", "NODE_HANDLE"}, {"msg", circular}};
  CHECK(read_one(codec, written(codec, wrapped, From::user, &handle)).value["msg"]["msg"] ==
        circular);
}

TEST_CASE("advanced: a message beside a handle is refused, when it refers to what announces it",
          "[wire]") {
  Advanced codec(max_depth);
  ByteBuffer out;
  const json announced{{"cmd", "NODE_HANDLE"}, {"msg", {{"frame", {{"$ref", "2"}}}}}};
  const json message = read_one(codec, written(codec, announced)).value["msg"];
  CHECK(message == json{{"frame", {{"$ref", "2"}}}});
  CHECK(codec.write(message, From::user, nullptr, out) == "a $ref that names nothing, at /frame");
  CHECK_FALSE(codec.write(json::array({message}), From::user, nullptr, out));
  const AnnouncedHandle handle{"net.Socket", no_members};
  CHECK(codec.write(message, From::user, &handle, out) == "a $ref that names nothing, at /frame");
}

TEST_CASE("advanced: a message beside a handle may be as deep as any", "[wire]") {
  Advanced codec(3);
  const AnnouncedHandle handle{"net.Socket", no_members};
  ByteBuffer out;
  CHECK_FALSE(codec.write(json::parse("[[[1]]]"), From::user, &handle, out));
  CHECK(codec.write(json::parse("[[[[1]]]]"), From::user, &handle, out) ==
        "nested more than 3 deep, at /0/0/0");
  CHECK(codec.write(tine::object("a", "\xFF"), From::user, &handle, out) ==
        "a string is not valid UTF-8, at /a");
}
