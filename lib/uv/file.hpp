#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/descriptor.hpp"
#include "uv/loop_core.hpp"
#include "uv/write_hold.hpp"

namespace tine::uv {

// A file, or a device that is always ready, which a thread of libuv reads or writes at its current
// position: a poll cannot wait for such a descriptor, and a read from a disk may block. There is
// one request at a time; it keeps the loop alive.
class File {
 public:
  // The most bytes of one request.
  static constexpr std::size_t most_at_once = std::size_t{64} << 10;

  // Called from inside LoopCore::enter() when a request has ended. `result` is the number of bytes,
  // 0 at the end of the file, or a negated errno. Must not destroy the File. Not called for a
  // request that is underway when the File is destroyed.
  using Done = std::function<void(int result)>;

  File(LoopCore& core, base::Descriptor file, Done done);
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  // Whether a request is underway. No other may start then.
  bool busy() const { return work_ != Work::none; }

  void read();
  // Returns the first `n` bytes that were read last. Valid until the next request.
  std::string_view bytes(std::size_t n) const;
  // Copies the bytes, at most `most_at_once` of them, and writes them.
  void write(std::string_view bytes);

 private:
  enum class Work { none, reading, writing };
  struct Request;

  void start(Work work, std::size_t size);
  void ended(int result);

  LoopCore& core_;
  Done done_;
  Request* request_;  // owns itself while a thread may be working on it
  Work work_ = Work::none;
  WriteHold write_hold_;
};

}  // namespace tine::uv
