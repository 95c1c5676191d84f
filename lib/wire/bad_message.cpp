#include "wire/bad_message.hpp"

#include <algorithm>
#include <utility>

namespace tine::wire {

std::string BadMessage::text() const {
  return "at byte " + std::to_string(offset) + ": " + reason + ", near `" + excerpt + "`";
}

std::string excerpt(std::string_view bytes, std::size_t offset) {
  constexpr std::size_t before = 20;
  constexpr std::size_t length = 40;
  const std::size_t start = std::min(bytes.size(), offset > before ? offset - before : 0);
  const std::string_view cut = bytes.substr(start, length);
  std::string shown = start > 0 ? "…" : "";
  for (const char c : cut) {
    if (c >= 0x20 && c < 0x7F) {
      shown += c;
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      shown += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    }
  }
  if (start + cut.size() < bytes.size()) shown += "…";
  return shown;
}

BadMessage bad_message(std::string_view bytes, std::size_t offset, std::string reason) {
  return {offset, std::move(reason), excerpt(bytes, offset)};
}

}  // namespace tine::wire
