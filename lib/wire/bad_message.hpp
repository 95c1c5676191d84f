#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tine::wire {

// The reason why some bytes are not a message, and the place of the error.
struct BadMessage {
  std::size_t offset;  // zero-based
  std::string reason;
  std::string excerpt;  // the bytes around the offset, printable

  // "at byte 5: unexpected ','; expected '[', '{', or a literal, near `{"a":,}`"
  std::string text() const;
};

// Returns a short cut of `bytes` around `offset` for an error message. Everything but printable
// ASCII is escaped.
std::string excerpt(std::string_view bytes, std::size_t offset);

// Makes the error at `offset` of `bytes`.
BadMessage bad_message(std::string_view bytes, std::size_t offset, std::string reason);

}  // namespace tine::wire
