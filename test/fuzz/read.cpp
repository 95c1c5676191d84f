// Cuts bytes that arrive in pieces into lines, and reads each line into the same value.
//
// Settings: the pieces; max_line and max_depth, where 0 means tine's default.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "fuzz/fuzz.hpp"
#include "fuzz/oracle.hpp"
#include "tine/channel.hpp"
#include "wire/frame_decoder.hpp"
#include "wire/json_reader.hpp"

using nlohmann::json;
using tine::wire::BadMessage;
using tine::wire::FrameDecoder;
using tine::wire::JsonReader;
using tine::wire::LineFraming;

namespace {

// Reads the padding after a line, so that a sanitizer notices if it cannot be read.
void touch_padding(std::string_view line) {
  volatile char sink = 0;
  const char* const end = line.data() + line.size();
  for (std::size_t i = 0; i < tine::base::padding; ++i) sink = end[i];
  static_cast<void>(sink);
}

constexpr std::size_t most_ahead = 4096;

void check_error(std::string_view line, const BadMessage& bad) {
  must(bad.offset <= line.size(), "an error is within its line");
  must(!json(bad.text()).dump().empty(), "an error can be sent as text");
}

bool agree(const std::optional<BadMessage>& one, const std::optional<BadMessage>& other) {
  if (!one || !other) return one.has_value() == other.has_value();
  return one->text() == other->text();
}

void check_line(std::string_view line, std::size_t max_depth, JsonReader& reader, json& value) {
  touch_padding(line);
  const auto bad = reader.read(line, value);

  // An error costs many times as much time as a value, so only some errors are compared.
  constexpr std::size_t compared = 8;
  JsonReader fresh_reader(max_depth);
  json fresh;
  if (!bad || line.size() % compared == 0) {
    must(agree(bad, fresh_reader.read(line, fresh)), "a used reader finds the same as a new one");
  }
  if (!bad || line.size() % compared == 1) {
    must(agree(bad, reader.check(line)), "check() finds the same as read()");
  }

  const auto expected = expected_value(line, max_depth);
  must(bad.has_value() != expected.has_value(), "good and bad are what nlohmann's parser says");
  if (bad) return check_error(line, *bad);
  must(same(value, fresh), "a value read over another one is that of a new one");
  must(same(value, *expected), "a value is that of nlohmann's parser");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Pieces pieces(input.setting());
  const std::size_t line_setting = input.setting();
  const std::size_t depth_setting = input.setting();
  const tine::ChannelOptions usual;
  const std::size_t max_line = line_setting == 0 ? usual.max_line : line_setting;
  const std::size_t max_depth = depth_setting == 0 ? usual.max_depth : depth_setting;
  std::string_view stream = input.bytes();

  const Lines expected = split(stream, max_line);
  auto next = expected.lines.begin();
  const LineFraming framing;
  FrameDecoder decoder(framing, max_line);
  JsonReader reader(max_depth);
  json value;
  while (!stream.empty()) {
    const std::string_view piece = stream.substr(0, pieces.next());
    reader.expect({});
    const auto room = decoder.room(piece.size());
    must(room.size() >= piece.size(), "there is as much room as asked for");
    std::copy(piece.begin(), piece.end(), room.begin());
    decoder.advance(piece.size());
    stream.remove_prefix(piece.size());
    reader.expect(decoder.ahead(most_ahead));

    while (decoder.has_frame()) {
      auto line = decoder.next();
      if (line && line->size() % 2 == 1) {
        decoder.put_back();
        line = decoder.next();
      }
      must(line && next != expected.lines.end() && *line == *next,
           "lines are those of a plain split");
      ++next;
      check_line(*line, max_depth, reader, value);
    }
    must(!decoder.next(), "next() has a line when has_frame() says so");
  }
  must(next == expected.lines.end(), "no line is missing");
  must(decoder.overflown() == expected.overflown, "a line is too long when it is");
  return 0;
}
