#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "support/catch.hpp"
#include "wire/json_reader.hpp"

inline constexpr std::size_t default_depth = 1000;

// A copy of a text, followed by the readable bytes that the readers require.
class PaddedText {
 public:
  explicit PaddedText(std::string_view text) { bytes_.append(text); }
  std::string_view view() const { return bytes_.view(); }

 private:
  tine::base::ByteBuffer bytes_;
};

struct ReadResult {
  std::optional<tine::wire::BadMessage> bad;
  nlohmann::json value;
};

// Reads a text with a new reader, and checks that check() gives the same result.
inline ReadResult read_text(std::string_view text, std::size_t max_depth = default_depth) {
  const PaddedText padded(text);
  tine::wire::JsonReader reader(max_depth);
  ReadResult result;
  result.bad = reader.read(padded.view(), result.value);
  const auto checked = reader.check(padded.view());
  CHECK((checked ? checked->text() : "good") == (result.bad ? result.bad->text() : "good"));
  return result;
}

inline std::optional<tine::wire::BadMessage> read_over(tine::wire::JsonReader& reader,
                                                       std::string_view text,
                                                       nlohmann::json& value) {
  return reader.read(PaddedText(text).view(), value);
}
