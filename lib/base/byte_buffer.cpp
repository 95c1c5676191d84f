#include "base/byte_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace tine::base {

namespace {

constexpr std::size_t smallest_capacity = 1024;

}  // namespace

void ByteBuffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
  advance(bytes.size());
}

void ByteBuffer::overwrite(std::size_t at, std::string_view bytes) {
  std::memcpy(bytes_.get() + at, bytes.data(), bytes.size());
}

void ByteBuffer::erase_front(std::size_t n) {
  if (n == 0) return;
  std::memmove(bytes_.get(), bytes_.get() + n, size_ - n);
  size_ -= n;
}

void ByteBuffer::release() {
  bytes_.reset();
  size_ = capacity_ = 0;
}

void ByteBuffer::grow(std::size_t n) {
  const std::size_t capacity = std::max({smallest_capacity, 2 * capacity_, size_ + n});
  std::unique_ptr<char[]> bytes(new char[capacity + padding]);
  if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
  std::memset(bytes.get() + capacity, 0, padding);
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

}  // namespace tine::base
