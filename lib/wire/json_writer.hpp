#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/byte_buffer.hpp"
#include "base/value_ref.hpp"

namespace tine::wire {

// Returns the JSON text of a value that JSON has no word for: binary, or a number that is not finite.
using TextOfOther = std::string (*)(const nlohmann::json& value);

// Appends the JSON text of a value to `out`. It is the same as that of dump(), except that the members
// of a tine::Object come in its order, and where there is `text_of_other`. It contains no line feed.
//
// If the value cannot be written, returns the reason and appends nothing. Reasons are text that is
// not valid UTF-8, a discarded value, and nesting deeper than max_depth.
std::optional<std::string> write_json(base::ValueRef value, std::size_t max_depth,
                                      base::ByteBuffer& out, TextOfOther text_of_other = nullptr);

}  // namespace tine::wire
