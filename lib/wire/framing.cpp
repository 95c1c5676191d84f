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

Framing::Frame V8Framing::first(std::string_view bytes, std::size_t) const {
  constexpr char header = '\xFF';
  if (bytes.size() < length_size) return {};
  std::size_t content = 0;
  for (const char byte : bytes.substr(0, length_size)) {
    content = content << 8 | static_cast<unsigned char>(byte);
  }
  if (content > 0 && bytes.size() > length_size && bytes[length_size] != header) {
    return {.foreign = true};
  }
  const bool complete = bytes.size() - length_size >= content;
  return {.begin = length_size, .content = content, .size = complete ? length_size + content : 0};
}

std::array<char, V8Framing::length_size> V8Framing::bytes_of(std::size_t length) {
  std::array<char, length_size> bytes{};
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte, length >>= 8) {
    *byte = static_cast<char>(length & 0xFF);
  }
  return bytes;
}

}  // namespace tine::wire
