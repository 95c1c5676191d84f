#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "wire/bad_message.hpp"

namespace tine::wire {

// Returns the error if arrays and objects are nested deeper than allowed. Looks at the first
// `searched` bytes only.
std::optional<BadMessage> nested_too_deep(std::string_view text, std::size_t max_depth,
                                          std::size_t searched = std::string_view::npos);

// Makes the error for a parse_error of nlohmann's: `byte` counts from 1, `what` is its text.
BadMessage syntax_error(std::string_view text, std::size_t byte, std::string_view what);

// Makes the error for an out_of_range of nlohmann's. `what` is its text, such as "number overflow
// parsing '1e400'"; the offset is that of the number.
BadMessage number_out_of_range(std::string_view text, std::string_view what);

}  // namespace tine::wire
