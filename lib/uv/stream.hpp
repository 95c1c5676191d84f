#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"

namespace tine::uv {

// A connected stream descriptor on the loop. Reads into room that its user lends, and writes what it is
// given. Closes the descriptor when it is destroyed.
//
// It waits by a uv_poll_t and reads and writes by itself: libuv's own streams pass one socket at a
// time, and touch what they pass.
class Stream {
 public:
  // Called from inside LoopCore::enter(). Any of these may destroy the stream.
  class User {
   public:
    virtual std::span<char> read_room() = 0;
    virtual void on_read(std::size_t n) = 0;
    // Came beside the last of the bytes that on_read() is called for next. Those that are not moved
    // away are closed.
    virtual void on_descriptors(std::span<Descriptor>) noexcept {}
    // No more will come: 0 for the end of the stream, else an errno.
    virtual void on_read_end(int error) = 0;
    // The peer is gone, seen while reading was off and its end was watched for.
    virtual void on_hang_up() {}
    // The kernel may take bytes again, or tell why it never will. Once for each await_writable().
    virtual void on_writable() = 0;

   protected:
    ~User() = default;
  };

  // Whether descriptors that come beside bytes are taken, or dropped by the kernel.
  enum class Takes { bytes, descriptors };

  // As many go beside one write, as Linux has it.
  static constexpr std::size_t most_descriptors = 253;

  // The descriptor becomes non-blocking. Throws Error.
  Stream(LoopCore& core, Descriptor descriptor, User& user, Takes takes = Takes::bytes);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  // Reads, or watches for nothing but the peer's end. Either keeps the loop alive if set_ref() says
  // so.
  void set_reading(bool on) noexcept;
  // Neither reads nor watches, which it does not at first either: the peer's end shows when reading
  // goes on.
  void rest() noexcept;
  void set_ref(bool ref) noexcept;

  // How much could be read at this moment, as far as the kernel tells.
  std::size_t available() const;

  // Reads what is there at this moment, all of it and no more, without waiting for the loop. `took`
  // is told how much of read_room() was filled, each time.
  void read_available(const std::function<void(std::size_t)>& took);

  // Writes what the kernel takes now, of one and then of the other, the descriptors beside the first byte.
  // The number of bytes, 0 if it takes none, or an errno, negated. Descriptors are taken with the first
  // byte.
  int write(std::string_view bytes, std::string_view then = {},
            std::span<const Descriptor> beside = {}) noexcept;

  // on_writable() follows. Keeps the loop alive, whatever set_ref() says.
  void await_writable() noexcept;
  bool awaiting_writable() const { return awaiting_writable_; }

  // Nothing more will be written: the peer reads an end. Reading goes on. A descriptor that is no
  // socket has no such half; there it is for the destructor to tell.
  void half_close() noexcept;

  // Whether the kernel takes bytes at this moment.
  bool writable() const;

  // Whether the peer has said that it will not read any more. A full socket does not tell of it.
  bool refused() const;

  // How much of what is written the peer has not read yet, as far as the kernel tells.
  std::size_t unread() const;

  // Without the loop, which is not to run again: waits until the kernel takes bytes or there is
  // something to read, the end of the peer included. Neither: it was not for that long.
  struct Ready {
    bool for_reading = false;
    bool for_writing = false;
  };
  Ready wait(bool for_writing, std::chrono::milliseconds patience) const;

  int fd() const { return descriptor_.get(); }

  // Takes the descriptor off the loop, for whoever calls. Of the stream only the destructor is left.
  Descriptor release() noexcept;

 private:
  // What is done about the bytes of the peer.
  enum class Reading { off, on, watching };

  void happened(int events);
  void read_once();
  ssize_t receive(std::span<char> room);
  void update() noexcept;

  LoopCore& core_;
  User& user_;
  Descriptor descriptor_;
  UvHandle<uv_poll_t> poll_;      // goes before the descriptor
  std::vector<Descriptor> came_;  // has its room beforehand: what came must not be lost
  bool takes_descriptors_;
  int events_ = 0;  // that poll_ waits for
  Reading reading_ = Reading::off;
  bool awaiting_writable_ = false;
  bool ref_ = true;
  bool kept_for_writing_ = false;  // the loop, and for nothing else
};

}  // namespace tine::uv
