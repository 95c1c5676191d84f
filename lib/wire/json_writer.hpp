#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "wire/byte_buffer.hpp"

namespace tine::wire {

// Appends the JSON text of a value, the same that value.dump() gives. No line feed is in it.
//
// What cannot be written is said in what is returned, and nothing is appended then: text that is
// not valid UTF-8, a discarded value, nesting deeper than max_depth.
std::optional<std::string> write_json(const nlohmann::json& value, std::size_t max_depth,
                                      ByteBuffer& out);

}  // namespace tine::wire
