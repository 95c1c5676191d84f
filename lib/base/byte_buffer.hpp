#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace tine::base {

// Number of bytes behind a text that parsers may read, whatever they hold. SIMD parsers need this.
inline constexpr std::size_t padding = 64;

// A growing byte buffer that is appended to in place.
//
// Why not std::string: resize() would clear bytes that are about to be written, and no `padding`
// would follow them.
class ByteBuffer {
 public:
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::string_view view() const { return {bytes_.get(), size_}; }

  // Returns room for at least n bytes, followed by `padding`. Invalidates earlier results of
  // view().
  char* room(std::size_t n) {
    if (capacity_ - size_ < n) grow(n);
    return bytes_.get() + size_;
  }
  // Appends the n bytes that were written to room().
  void advance(std::size_t n) { size_ += n; }

  void append(std::string_view bytes);
  void push_back(char byte) {
    *room(1) = byte;
    ++size_;
  }

  // Overwrites bytes from offset `at` on; all of them must be there.
  void overwrite(std::size_t at, std::string_view bytes);

  // Drops everything behind the first `size` bytes.
  void truncate(std::size_t size) { size_ = size; }
  // Drops the first n bytes.
  void erase_front(std::size_t n);
  // Empties the buffer and frees its memory.
  void release();

 private:
  void grow(std::size_t n);

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// A scope guard that removes what was appended to a buffer during its life, unless keep() is
// called.
class Appending {
 public:
  explicit Appending(ByteBuffer& buffer) : buffer_(buffer), start_(buffer.size()) {}
  Appending(const Appending&) = delete;
  Appending& operator=(const Appending&) = delete;
  ~Appending() {
    if (!kept_) buffer_.truncate(start_);
  }

  std::string_view view() const { return buffer_.view().substr(start_); }
  void keep() { kept_ = true; }

 private:
  ByteBuffer& buffer_;
  std::size_t start_;
  bool kept_ = false;
};

}  // namespace tine::base
