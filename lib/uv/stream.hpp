#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/descriptor.hpp"
#include "base/descriptor_passing.hpp"
#include "uv/loop_core.hpp"
#include "uv/write_hold.hpp"

namespace tine::uv {

// The descriptors of a stream: one for both directions, or a pair.
struct StreamEnds {
  StreamEnds(base::Descriptor both) : read(std::move(both)) {}
  StreamEnds(base::Descriptor to_read, base::Descriptor to_write)
      : read(std::move(to_read)), write(std::move(to_write)) {}

  base::Descriptor read;
  std::optional<base::Descriptor> write;  // if it is another one
};

// A connected stream on the loop. It reads into memory that its user lends, and writes what it is
// given. The destructor closes its descriptors.
//
// It waits with a uv_poll_t, and reads and writes itself: libuv's own streams pass one socket at a
// time, and alter what they pass.
class Stream {
 public:
  // The user of a stream, called from inside LoopCore::enter(). Each call may destroy the stream.
  class User {
   public:
    virtual std::span<char> read_room() = 0;
    virtual void on_read(std::size_t n) = 0;
    // Called with descriptors that came beside the last of the bytes that on_read() is called for
    // next. Those that are not moved away are closed.
    virtual void on_descriptors(std::span<base::Descriptor>) noexcept {}
    // Called when no more bytes will come. `error` is 0 at the end of the stream, else an errno.
    virtual void on_read_end(int error) = 0;
    // Called when the peer is gone, if reading was off and the peer's end was watched for.
    virtual void on_hang_up() {}
    // Called once for each await_writable(), when the kernel takes bytes again, or when a write can
    // tell why it never will.
    virtual void on_writable() = 0;

   protected:
    ~User() = default;
  };

  // Whether descriptors that come beside bytes are taken, or dropped by the kernel. With a pair none
  // can come.
  enum class Takes { bytes, descriptors };

  static constexpr std::size_t most_descriptors = base::most_descriptors;

  // The descriptors become non-blocking. Throws Error.
  Stream(LoopCore& core, StreamEnds ends, User& user, Takes takes = Takes::bytes);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // What the stream does about bytes from the peer. watching: it does not read, but notices the
  // peer's end. off: nothing, as at first; the peer's end is noticed when reading goes on.
  enum class Reading { off, watching, on };

  // All but `off` keep the loop alive if set_ref() says so.
  void set_reading(Reading reading) noexcept;
  void set_ref(bool ref) noexcept;

  // Returns how many bytes can be read now, as far as the kernel tells.
  std::size_t available() const;

  // Reads exactly what is there now, without waiting for the loop. Calls `took` each time with the
  // number of bytes put into read_room().
  void read_available(const std::function<void(std::size_t)>& took);

  // Writes as much of `bytes` and then of `then` as the kernel takes now, with the descriptors
  // `beside` the first byte. Returns the number of bytes, 0 if the kernel takes none, or a negated
  // errno. The kernel takes the descriptors with the first byte.
  int write(std::string_view bytes, std::string_view then = {},
            std::span<const base::Descriptor> beside = {}) noexcept;

  // Makes on_writable() follow. Keeps the loop alive, whatever set_ref() says.
  void await_writable() noexcept;
  bool awaiting_writable() const { return awaiting_writable_; }

  // Ends writing: the peer reads EOF. Reading goes on. For one descriptor that is not a socket this
  // does nothing; there the peer reads EOF after the destructor. Nothing may be written any more.
  void half_close() noexcept;

  // Returns whether the kernel takes bytes now.
  bool writable() const;

  // Returns whether the peer has announced that it will not read any more. A full socket shows no
  // other sign of this.
  bool refused() const;

  // Returns how many written bytes the peer has not read yet, as far as the kernel tells.
  std::size_t unread() const;

  // Waits without the loop, which must not run again, until the kernel takes bytes (if
  // `for_writing`) or there is something to read, EOF included. If neither flag is set, `patience`
  // has run out.
  struct Ready {
    bool for_reading = false;
    bool for_writing = false;
  };
  Ready wait(bool for_writing, std::chrono::milliseconds patience) const;

  // The descriptor to read from.
  int fd() const { return ends_.read.get(); }

  // Takes the descriptor off the loop and returns it. Afterwards the stream can only be destroyed.
  // Not for a pair.
  base::Descriptor release() noexcept;

 private:
  struct Watch {
    UvHandle<uv_poll_t> poll;
    int events = 0;  // that poll waits for
  };

  void open(Watch& watch, int fd);
  void watch(Watch& watch, int events) noexcept;
  void happened(const uv_poll_t& handle, int events);
  void read_once();
  ssize_t receive(std::span<char> room);
  void update() noexcept;
  int write_fd() const { return ends_.write ? ends_.write->get() : fd(); }

  LoopCore& core_;
  User& user_;
  StreamEnds ends_;
  Watch watch_;        // of both directions, or of reading
  Watch write_watch_;  // of the descriptor to write, if it is another one
  const Takes takes_;
  std::vector<base::Descriptor> came_;  // reserved beforehand: what came must not be lost
  Reading reading_ = Reading::off;
  bool awaiting_writable_ = false;
  bool ref_ = true;
  WriteHold write_hold_;
};

}  // namespace tine::uv
