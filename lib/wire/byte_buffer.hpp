#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace tine::wire {

// Bytes that parsers may read behind a text without caring for what they are: it is what SIMD
// parsers ask for.
inline constexpr std::size_t padding = 64;

// A growing run of bytes that is appended to in place.
//
// Why not std::string: resize() would clear bytes that are about to be written, and there would be
// no `padding` behind them.
class ByteBuffer {
 public:
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::string_view view() const { return {bytes_.get(), size_}; }

  // Where at least n bytes may be written next, followed by `padding`. Invalidates what view()
  // gave.
  char* room(std::size_t n) {
    if (capacity_ - size_ < n) grow(n);
    return bytes_.get() + size_;
  }
  // Takes over n bytes that were written to room().
  void advance(std::size_t n) { size_ += n; }

  void append(std::string_view bytes);
  void push_back(char byte) {
    *room(1) = byte;
    ++size_;
  }

  // Drops all behind the first `size` bytes.
  void truncate(std::size_t size) { size_ = size; }
  // Drops the first n bytes.
  void erase_front(std::size_t n);
  // Empties it, and gives the memory back.
  void release();

 private:
  void grow(std::size_t n);

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Takes back what was appended to a buffer in its scope, unless keep() is called.
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

}  // namespace tine::wire
