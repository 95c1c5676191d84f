// What the peers do that send payloads: the bytes that travel, and what a child does with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace bench {

// Returns a payload. It is text, so that JSON can carry it without an encoding such as base64.
inline std::string payload(std::size_t size) { return std::string(size, 'x'); }

// Reads all bytes and adds them up, as a child does with each payload.
inline std::uint64_t sum(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0;
  while (bytes.size() >= sizeof sum) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    sum += word;
    bytes = bytes.subspan(sizeof word);
  }
  for (const std::byte byte : bytes) sum += std::to_integer<std::uint64_t>(byte);
  return sum;
}

}  // namespace bench
