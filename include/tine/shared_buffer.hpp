// Bytes that travel to another process of this machine without a copy.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "tine/callback.hpp"
#include "tine/detail/export.hpp"

namespace tine::base {
class SealedMemory;
}

namespace tine {

// Bytes in memory that processes share, and that nobody can change. Sent beside a message, they are
// not copied: the other end gets the same memory.
//
//   tine::SharedBuffer picture(bytes);
//   child.send({{"frame", 7}}, picture);
//
//   process.on<"message">([](const nlohmann::json& message, const tine::SharedBuffer& picture) {
//     show(message["frame"], picture.bytes());
//   });
//
// A listener that takes a Handle calls its shared_buffer(). A listener gets an empty handle if a
// message comes without a buffer.
//
// All copies share one mapping of the memory and one open descriptor; the last copy releases both.
// A buffer belongs to no loop and no channel, and may outlive them. Copies may be used in any
// threads at the same time. The system frees the memory when no process has it any more.
//
// The bytes are read only at both ends, whatever a peer tries: the memory is a sealed memfd. A
// descriptor that comes as a buffer is mapped only if it is such memory, of the size that its line
// says. If not, or if it cannot be mapped, that is an "error" (Errc::invalid_handle_type, or the
// error of the system), and its message is dropped.
//
// A buffer may be of any size. max_line and send_limit count only the line that goes with it, but
// send_mark counts the bytes too, until the line is written: see ChannelOptions. At the receiver, a
// mapped page takes no memory until it is read, and then it is the sender's; a page that nobody has
// ever written becomes a page of zeros. What is sent after a buffer waits until the peer confirms
// that it has come. Below about a mebibyte, a plain message is as fast or faster: see W11 in
// bench/RESULTS.md.
//
// Only a peer that is tine takes a buffer: see ChannelEnd::send(). Linux only: on other systems a
// SharedBuffer cannot be made (ENOTSUP).
//
// Node: none. A SharedArrayBuffer is shared by the threads of one process.
class TINE_EXPORT SharedBuffer {
 public:
  // An empty handle. That is not a buffer of no bytes, which can be sent.
  SharedBuffer() = default;

  // Copies the bytes. Throws Error if the system refuses: EMFILE, ENOMEM, ...
  explicit SharedBuffer(std::span<const std::byte> bytes);
  explicit SharedBuffer(std::string_view bytes);

  // Makes a buffer without a copy: calls `fill`, once, to write the bytes. The span is valid during
  // that call. Bytes that are not written are zeros, and take no memory until somebody reads them.
  //
  //   auto picture = tine::SharedBuffer::make(size, [&](std::span<std::byte> to) { decode(to); });
  //
  // Throws what `fill` throws, or Error if the system refuses. EBUSY: something may still write to
  // the bytes, such as a copy of this process that `fill` has made with fork(). If memory runs out
  // while `fill` writes, the system ends the process.
  static SharedBuffer make(std::size_t size, Callback<void(std::span<std::byte>)> fill);

  // False for an empty handle.
  explicit operator bool() const { return memory_ != nullptr; }

  // The bytes, from the beginning of a page on, so any type is aligned there. Valid as long as
  // there is a copy of this object. Empty for an empty handle.
  std::span<const std::byte> bytes() const;
  // The same, as characters.
  std::string_view text() const;
  std::size_t size() const { return bytes().size(); }

 private:
  friend class base::SealedMemory;
  explicit SharedBuffer(std::shared_ptr<const base::SealedMemory> memory);

  std::shared_ptr<const base::SealedMemory> memory_;
};

}  // namespace tine
