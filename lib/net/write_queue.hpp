#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <system_error>

#include "tine/channel.hpp"

namespace tine::net {

// What was given to a stream and is not written yet: the bytes, and who wants to know.
//
// Bytes are counted from the first ever accepted; a callback is due when the count of written bytes
// passes the end of its own.
class WriteQueue {
 public:
  // Takes the bytes and the callback, if there is one. When memory runs out nothing is changed or
  // taken.
  void add(std::string_view bytes, SendCallback& written);

  // Bytes that are accepted and not written.
  std::size_t queued() const { return filling_.size() + writing_.size() - front_; }

  // The bytes to be written next. They stay where they are until written() has counted them all.
  std::string_view front() noexcept;

  // Counts bytes of front() as written.
  void written(std::size_t n) noexcept;

  // Gives up what is queued. Nothing may be added any more. Whether some of it has no callback.
  bool cancel(std::error_code why) noexcept;

  // Drops all callbacks without a call.
  void drop_callbacks() noexcept;

  // How many callbacks are due: their bytes are written, or given up.
  std::size_t due() const { return due_; }
  // Calls the first of them, which may throw what it likes; it has had its call then.
  void call_first_due();

 private:
  void all_written() noexcept;

  std::string filling_;    // appended to
  std::string writing_;    // being written; nothing is appended, so it stays in place
  std::size_t front_ = 0;  // up to here writing_ is written

  struct Waiting {
    std::uint64_t end;
    SendCallback written;
  };
  std::deque<Waiting> waiting_;
  std::size_t due_ = 0;  // of them, from the front on
  std::uint64_t written_ = 0;
  std::uint64_t without_callback_ = 0;  // the last bytes of that kind end here
  std::error_code cancelled_because_;
};

}  // namespace tine::net
