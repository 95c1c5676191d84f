#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Base64 as in RFC 4648, with `+`, `/` and padding.
namespace tine::base {

std::string to_base64(std::span<const std::uint8_t> bytes);

// Returns whether a text is what to_base64() makes of some bytes.
bool is_base64(std::string_view text);
// Returns these bytes.
std::vector<std::uint8_t> from_base64(std::string_view text);

}  // namespace tine::base
