#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <system_error>

#include "base/byte_buffer.hpp"
#include "base/recent_need.hpp"
#include "tine/send_callback.hpp"

namespace tine::uv {

// A queue of the bytes that a stream has accepted and not written yet, with their callbacks.
//
// Bytes are counted from the first one ever accepted. A callback is due when the count of written
// bytes reaches the end of its own. Bytes without a callback need no record.
//
// The user may have further bytes in places of its own: reserve() and written_elsewhere() count
// them.
class WriteQueue {
 public:
  // An empty buffer that is larger than `most_kept` is freed at once; a smaller one is freed when it
  // was not needed for a while.
  explicit WriteQueue(std::size_t most_kept) : most_kept_(most_kept) {}

  // Appends the bytes, and takes the callback if there is one. If memory runs out, the queue stays
  // as it was.
  void add(std::string_view bytes, SendCallback& written);

  // For a user that appends the bytes itself, to filling(): adds a callback, or a record without
  // one, that ends at `end`. If memory runs out, throws and takes nothing. Call it in the order of
  // the ends.
  base::ByteBuffer& filling() { return filling_; }
  void add_record(std::uint64_t end, SendCallback& written);
  // To be called when filling() may be empty again, because what was appended was removed.
  void trim_filling() noexcept;

  // The number of bytes that are accepted and not written.
  std::size_t queued() const { return filling_.size() + writing_.size() - front_ + elsewhere_; }
  // The count of bytes at the end of the queue, and that of the written ones.
  std::uint64_t end() const { return written_ + queued(); }
  std::uint64_t count() const { return written_; }

  // The bytes to write next. They stay in place until written() has counted all of them.
  std::string_view front() noexcept;
  // Counts `n` bytes of front() as written.
  void written(std::size_t n) noexcept;

  // Counts bytes that the user keeps as accepted, and later as written.
  void reserve(std::size_t n) noexcept { elsewhere_ += n; }
  void written_elsewhere(std::size_t n) noexcept;

  // Makes the callback of the record that ends at `end` get `why`. Returns false if there is no
  // such record.
  bool fail(std::uint64_t end, std::error_code why) noexcept;

  // The bytes that are accepted and not written, except those elsewhere: those of `writing` behind
  // the first `written`, then `filling`. What was added at once is in one of the two.
  struct Buffers {
    std::string_view writing;
    std::size_t written;  // 0 again when all of `writing` is written
    std::string_view filling;
  };
  Buffers buffers() const { return {writing_.view(), front_, filling_.view()}; }
  // Whether some of the unwritten bytes of add() have no callback.
  bool lacks_callback() const { return without_callback_ > written_; }

  // Drops the queued bytes; all callbacks are due then. Nothing may be added any more. Returns the
  // numbers of records that become due by this.
  struct Cancelled {
    std::size_t callbacks = 0;
    std::size_t without_callback = 0;
  };
  Cancelled cancel(std::error_code why) noexcept;

  // Drops all callbacks without calling them.
  void drop_callbacks() noexcept;

  // The number of due callbacks: their bytes are written, or were dropped.
  std::size_t due() const { return due_; }
  // Calls the first due callback, which counts as called even if it throws.
  void call_first_due();

 private:
  struct Record {
    std::uint64_t end;
    SendCallback written = {};
    std::error_code failed = {};  // why these bytes alone failed
  };

  void give_back(base::ByteBuffer& buffer, base::RecentNeed& need, std::size_t needed) noexcept;
  void count(std::size_t n) noexcept;

  std::size_t most_kept_;

  // Two buffers that swap roles, each with a record of how much of it was needed.
  base::ByteBuffer filling_;  // appended to
  base::RecentNeed filling_need_;
  base::ByteBuffer writing_;  // being written; nothing is appended, so its bytes stay in place
  base::RecentNeed writing_need_;
  std::size_t front_ = 0;      // how many bytes of writing_ are written
  std::size_t elsewhere_ = 0;  // bytes that the user keeps

  std::deque<Record> records_;
  std::size_t due_ = 0;  // how many of records_, from the front
  std::uint64_t written_ = 0;
  std::uint64_t without_callback_ = 0;  // where the last bytes of add() without a callback end
  std::error_code cancelled_because_;
};

}  // namespace tine::uv
