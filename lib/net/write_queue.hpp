#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <system_error>

#include "tine/send_callback.hpp"

namespace tine::net {

// A queue of the bytes that a stream has accepted and not written yet, with their callbacks.
//
// Bytes are counted from the first one ever accepted. A callback is due when the count of written
// bytes reaches the end of its own.
class WriteQueue {
 public:
  // Appends the bytes, and takes the callback if there is one. If memory runs out, the queue stays
  // as it was.
  void add(std::string_view bytes, SendCallback& written);

  // The number of bytes that are accepted and not written.
  std::size_t queued() const { return filling_.size() + writing_.size() - front_; }

  // The bytes to write next. They stay in place until written() has counted all of them.
  std::string_view front() noexcept;

  // Counts `n` bytes of front() as written.
  void written(std::size_t n) noexcept;

  // Drops the queued bytes; all callbacks are due then. Nothing may be added any more. Returns
  // whether any dropped bytes have no callback.
  bool cancel(std::error_code why) noexcept;

  // Drops all callbacks without calling them.
  void drop_callbacks() noexcept;

  // The number of due callbacks: their bytes are written, or were dropped.
  std::size_t due() const { return due_; }
  // Calls the first due callback, which counts as called even if it throws.
  void call_first_due();

 private:
  void all_written() noexcept;

  std::string filling_;    // new bytes are appended here
  std::string writing_;    // being written; stays in place, as nothing is appended
  std::size_t front_ = 0;  // how many bytes of writing_ are written

  struct Waiting {
    std::uint64_t end;
    SendCallback written;
  };
  std::deque<Waiting> waiting_;
  std::size_t due_ = 0;  // how many of waiting_, from the front
  std::uint64_t written_ = 0;
  std::uint64_t without_callback_ = 0;  // where the last bytes without a callback end
  std::error_code cancelled_because_;
};

}  // namespace tine::net
