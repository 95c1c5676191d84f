// Reads messages in V8's value format and writes what they become; writes values and reads them.
//
// Settings: 0 if the bytes are a value in V8's format, without the header; 1 if they are a message,
// with the header; 2 if they are a JSON text; anything else to build a value from them. max_depth,
// where 0 means tine's default.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "fuzz/any_value.hpp"
#include "fuzz/fuzz.hpp"
#include "tine/channel.hpp"
#include "tine/error.hpp"
#include "tine/references.hpp"
#include "wire/v8_json.hpp"
#include "wire/v8_reader.hpp"
#include "wire/v8_writer.hpp"

using nlohmann::json;
using tine::base::ByteBuffer;
using tine::wire::BadMessage;
using tine::wire::V8Reader;
using tine::wire::V8Writer;

namespace {

constexpr double max_safe_integer = 9'007'199'254'740'991;
constexpr std::string_view too_deep = "nested more than";

// Reads from memory that ends where the message does, so that a sanitizer notices a byte more.
std::optional<BadMessage> read(V8Reader& reader, std::string_view message, json& value) {
  const std::unique_ptr<char[]> exact(new char[message.size()]);
  std::copy(message.begin(), message.end(), exact.get());
  return reader.read({exact.get(), message.size()}, value);
}

std::size_t depth_of(const json& value) {
  if (!value.is_structured()) return 0;
  std::size_t deepest = 0;
  for (const json& element : value) deepest = std::max(deepest, depth_of(element));
  return deepest + 1;
}

bool has_tag(const json& value) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      if (key.starts_with('$')) return true;
    }
  }
  return value.is_structured() && std::any_of(value.begin(), value.end(), has_tag);
}

// Changes a value into the one that a JavaScript program has, where there are no types of numbers.
void cross_the_wire(json& value) {
  constexpr std::uint64_t buffer = 10;
  if (value.is_binary() && value.get_binary().has_subtype() &&
      value.get_binary().subtype() == buffer) {
    value.get_binary().clear_subtype();
  }
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    const bool is_integer = std::trunc(number) == number && std::abs(number) <= max_safe_integer;
    if (is_integer && !(number == 0 && std::signbit(number)))
      value = static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer() && value >= 0) value = value.get<std::uint64_t>();
  if (!value.is_structured()) return;
  for (json& element : value) cross_the_wire(element);
}

// Writes a value that must be writable.
ByteBuffer written_again(const json& value, std::size_t max_depth) {
  ByteBuffer out;
  must(!V8Writer(max_depth).write(value, out), "what was read can be written");
  return out;
}

json read_back(std::string_view message, std::size_t max_depth) {
  V8Reader reader(max_depth);
  json value;
  must(!read(reader, message, value), "what was written can be read");
  return value;
}

// Writes a value and reads it, twice: there may be several ways to tell the same value of
// JavaScript, of which tine writes one. Returns why the value cannot be written.
std::optional<std::string> check_value(const json& value, std::size_t max_depth) {
  constexpr std::string_view before = "what was there";
  ByteBuffer out;
  out.append(before);
  auto problem = V8Writer(max_depth).write(value, out);
  must(out.view().starts_with(before), "what was there stays");
  const std::string_view written = out.view().substr(before.size());
  if (problem) {
    must(written.empty(), "of a refused value nothing is written");
    must(!json(*problem).dump().empty(), "a problem can be sent as text");
    return problem;
  }
  const json result = read_back(written, max_depth);
  const ByteBuffer again = written_again(result, max_depth);
  const json second_result = read_back(again.view(), max_depth);
  must(second_result.dump() == result.dump(), "what was read is read again");
  must(written_again(second_result, max_depth).view() == again.view(), "and written as it came");
  const json of_text = json::parse(tine::wire::json_text(result));
  const std::size_t depth_of_text = max_depth + 1;  // binary is an object in it
  must(written_again(of_text, depth_of_text).view() == again.view(), "and so is its JSON text");
  if (has_tag(value)) return std::nullopt;
  json crossed = value;
  cross_the_wire(crossed);
  must(result.dump() == crossed.dump(), "what is read is what was written");
  return std::nullopt;
}

// Replaces references by copies. Only those to an object around them stay.
void check_expansion(const json& value, std::size_t max_depth) {
  json expanded;
  try {
    expanded = tine::expand_references(value, {std::size_t{1} << 20, max_depth});
  } catch (const tine::Error&) {
    return;  // too large, or too deep
  }
  must(tine::expand_references(expanded).dump() == expanded.dump(),
       "what is expanded stays the same");
  must(depth_of(expanded) <= max_depth, "what is expanded is not too deep");
  written_again(expanded, max_depth);
}

void check_message(std::string_view message, std::size_t max_depth) {
  V8Reader reader(max_depth);
  json value;
  const auto bad = read(reader, message, value);

  // The same, over what another message has left, be it good or bad.
  V8Reader used_reader(max_depth);
  json used;
  static_cast<void>(read(used_reader, message.substr(0, message.size() / 2), used));
  static_cast<void>(read(used_reader,
                         "\xFF\x0F"
                         "o\"\x01zT{\x01",
                         used));
  static_cast<void>(read(used_reader, message.substr(0, message.size() / 2), used));
  const auto used_bad = read(used_reader, message, used);
  must(bad.has_value() == used_bad.has_value(), "a used reader finds what a new one does");
  must(!value.dump().empty(), "a value has valid text, even if the message is bad");
  if (bad) {
    must(bad->text() == used_bad->text(), "a used reader finds the same error");
    must(bad->offset <= message.size(), "an error is within its message");
    must(!json(bad->text()).dump().empty(), "an error can be sent as text");
    return;
  }
  must(used.dump() == value.dump(), "a value read over another one is that of a new one");
  must(depth_of(value) <= max_depth, "a value is not too deep");
  check_expansion(value, max_depth);
  const auto problem = check_value(value, max_depth);
  // An object may be deeper in another of the places that it is in.
  const bool is_shared = value.dump().find("\"$ref\"") != std::string::npos;
  must(!problem || (is_shared && problem->starts_with(too_deep)), "what was read can be written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::size_t kind = input.setting();
  const std::size_t depth_setting = input.setting();
  const std::size_t max_depth =
      depth_setting == 0 ? tine::ChannelOptions().max_depth : depth_setting;
  const std::string_view bytes = input.bytes();
  if (kind == 0) {
    check_message("\xFF\x0F" + std::string(bytes), max_depth);
  } else if (kind == 1) {
    check_message(bytes, max_depth);
  } else if (kind == 2) {
    const json value = json::parse(bytes, nullptr, false);
    if (!value.is_discarded()) check_value(value, max_depth);
  } else {
    check_value(AnyValue(bytes).next(), max_depth);
  }
  return 0;
}
