#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tine::wire {

// The reason why a text is not a message, and the place of the error.
struct BadJson {
  std::size_t offset;  // zero-based, in bytes
  std::string reason;
  std::string excerpt;  // the text around the offset, printable

  // "at byte 5: unexpected ','; expected '[', '{', or a literal, near `{"a":,}`"
  std::string text() const;
};

// Returns a short cut of `text` around `offset` for an error message. Everything but printable
// ASCII is escaped.
std::string excerpt(std::string_view text, std::size_t offset);

// Makes the error at `offset` of `text`.
BadJson bad_json(std::string_view text, std::size_t offset, std::string reason);

// Returns the error if arrays and objects are nested deeper than allowed. Looks at the first
// `searched` bytes only.
std::optional<BadJson> nested_too_deep(std::string_view text, std::size_t max_depth,
                                       std::size_t searched = std::string_view::npos);

// Makes the error for a parse_error of nlohmann's: `byte` counts from 1, `what` is its text.
BadJson syntax_error(std::string_view text, std::size_t byte, std::string_view what);

// Makes the error for an out_of_range of nlohmann's. `what` is its text, such as "number overflow
// parsing '1e400'"; the offset is that of the number.
BadJson number_out_of_range(std::string_view text, std::string_view what);

}  // namespace tine::wire
