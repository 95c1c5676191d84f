#include "wire/framing.hpp"

#include <algorithm>
#include <cstring>

namespace tine::wire {

std::size_t Framing::size_of_complete(std::string_view bytes) const {
  std::size_t end = 0;
  while (const std::size_t size = first(bytes.substr(end), 0).size) end += size;
  return end;
}

std::size_t Framing::count_complete(std::string_view bytes) const {
  std::size_t count = 0;
  while (const std::size_t size = first(bytes, 0).size) {
    bytes.remove_prefix(size);
    ++count;
  }
  return count;
}

std::size_t Framing::end_of_frame(std::string_view bytes, std::size_t at) const {
  std::size_t end = 0;
  while (end < at) end += first(bytes.substr(end), 0).size;
  return end;
}

Framing::Frame LineFraming::first(std::string_view bytes, std::size_t searched) const {
  if (searched >= bytes.size()) return {.content = bytes.size()};
  const void* const found = std::memchr(bytes.data() + searched, '\n', bytes.size() - searched);
  if (found == nullptr) return {.content = bytes.size()};
  const auto content = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
  return {.content = content, .size = content + 1};
}

std::size_t LineFraming::size_of_complete(std::string_view bytes) const {
  return bytes.rfind('\n') + 1;  // npos + 1 is 0
}

std::size_t LineFraming::count_complete(std::string_view bytes) const {
  return static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
}

std::size_t LineFraming::end_of_frame(std::string_view bytes, std::size_t at) const {
  return at == 0 || bytes[at - 1] == '\n' ? at : bytes.find('\n', at) + 1;
}

}  // namespace tine::wire
