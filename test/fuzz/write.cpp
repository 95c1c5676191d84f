// Writes values as text and reads them back.
//
// Settings: 0 if the bytes are a JSON text; with another value they describe a value to build,
// which may also be one that no JSON text has: invalid UTF-8, NaN, binary or discarded. Then
// max_depth, where 0 means tine's default.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "channel/outbox.hpp"
#include "fuzz/any_value.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/oracle.hpp"
#include "wire/json_lines.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"

using nlohmann::json;
using tine::base::ByteBuffer;
using tine::channel::Outbox;
using tine::wire::JsonLines;
using tine::wire::JsonReader;

namespace {

// Changes a value into the one that must come back when it is written and read.
void cross_the_wire(json& value) {
  if (value.is_binary()) value = json::parse(value.dump());
  if (value.is_number_float() && !std::isfinite(value.get<double>())) value = nullptr;
  if (value.is_number_integer() && value >= 0) value = value.get<std::uint64_t>();
  if (!value.is_structured()) return;
  for (json& element : value) cross_the_wire(element);
}

struct Nature {
  std::size_t depth = 0;
  bool discarded = false;
};

Nature nature_of(const json& value) {
  constexpr std::size_t depth_of_binary = 2;  // an object with an array in it
  if (value.is_binary()) return {depth_of_binary, false};
  Nature nature{value.is_structured() ? std::size_t{1} : 0, value.is_discarded()};
  if (!value.is_structured()) return nature;
  for (const json& element : value) {
    const Nature inner = nature_of(element);
    nature.depth = std::max(nature.depth, inner.depth + 1);
    nature.discarded |= inner.discarded;
  }
  return nature;
}

// Returns the result of dump(), or nullopt if it throws, as for a string that is not UTF-8.
std::optional<std::string> dumped(const json& value) {
  try {
    return value.dump();
  } catch (const json::type_error&) {
    return std::nullopt;
  }
}

// Reads the text in the writer's buffer, because that has the padding which readers need.
json read_back(const ByteBuffer& text, std::size_t start, std::size_t max_depth) {
  json value;
  const auto bad = JsonReader(max_depth).read(text.view().substr(start), value);
  must(!bad, "what was written can be read");
  return value;
}

void check_outbox(const json& value, std::optional<std::string_view> written,
                  std::size_t max_depth) {
  JsonLines codec(max_depth);
  Outbox outbox(codec, {});
  tine::SendCallback none;
  must(!outbox.add(value, none) == written.has_value(), "what can be written can be sent");
  must(outbox.queued() == (written ? written->size() + 1 : 0), "a refused value leaves nothing");
  if (written)
    must(outbox.front().bytes == std::string(*written) + '\n', "a line is text and line feed");
}

void check_value(const json& value, std::size_t max_depth) {
  constexpr std::string_view before = "what was there";
  ByteBuffer out;
  out.append(before);
  const auto problem = tine::wire::write_json(value, max_depth, out);
  must(out.view().starts_with(before), "what was there stays");
  const std::string_view written = out.view().substr(before.size());

  const Nature nature = nature_of(value);
  const auto expected = dumped(value);
  const bool good = expected && !nature.discarded && nature.depth <= max_depth;
  must(good == !problem, "a value is refused when dump() throws, or it is too deep, and only then");
  check_outbox(value, good ? std::optional(written) : std::nullopt, max_depth);
  if (!good) return must(written.empty(), "of a refused value nothing is written");

  must(written == *expected, "the text is that of dump()");
  must(written.find('\n') == written.npos, "no line feed is in a text");
  const json read = read_back(out, before.size(), max_depth);
  json crossed = value;
  cross_the_wire(crossed);
  must(same(read, crossed), "what is read is what was written");
  ByteBuffer again;
  must(!tine::wire::write_json(read, max_depth, again), "what was read can be written");
  must(again.view() == written, "what was read is written as it came");
}

// Checks that a text is sent if it can be read and has no line feed in it, and is refused
// otherwise.
void check_text(std::string_view text, bool readable, std::size_t max_depth) {
  JsonLines codec(max_depth);
  Outbox outbox(codec, {});
  const bool good = readable && text.find('\n') == text.npos;
  tine::SendCallback none;
  must(!outbox.add(tine::Text{text}, none) == good, "a text is sent exactly if it can be read");
  must(outbox.queued() == (good ? text.size() + 1 : 0), "a refused text leaves nothing");
  if (good) must(outbox.front().bytes == std::string(text) + '\n', "a text is sent as it is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const bool is_text = input.setting() == 0;
  const std::size_t depth_setting = input.setting();
  const std::size_t max_depth =
      depth_setting == 0 ? tine::ChannelOptions().max_depth : depth_setting;
  const std::string_view bytes = input.bytes();
  if (!is_text) {
    check_value(AnyValue(bytes).next(), max_depth);
    return 0;
  }
  ByteBuffer text;
  text.append(bytes);
  json value;
  const auto bad = JsonReader(max_depth).read(text.view(), value);
  check_text(bytes, !bad, max_depth);
  if (!bad) check_value(value, max_depth);
  return 0;
}
