#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"
#include "uv/timer.hpp"

namespace tine::uv {

// A connected stream descriptor on the loop. Reads into room that its user lends; writes what its
// user keeps in place until it is written. Closes the descriptor when it is destroyed.
class Stream {
 public:
  // Called from inside LoopCore::enter(). Any of these may destroy the stream.
  class User {
   public:
    virtual std::span<char> read_room() = 0;
    virtual void on_read(std::size_t n) = 0;
    // No more will come: 0 for the end of the stream, else an errno.
    virtual void on_read_end(int error) = 0;
    // The peer is gone, seen while reading was off and its end was watched for.
    virtual void on_hang_up() {}
    // What write() was given is written, or, with an errno, will not be. Not called after the stream
    // is destroyed.
    virtual void on_written(int error) = 0;

   protected:
    ~User() = default;
  };

  // The descriptor becomes non-blocking. Throws Error.
  Stream(LoopCore& core, Descriptor descriptor, User& user);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  // Reads, or watches for nothing but the peer's end. Either keeps the loop alive if set_ref() says
  // so.
  void set_reading(bool on) noexcept;
  // Neither reads nor watches, which it does not at first either: the peer's end shows when reading
  // goes on.
  void rest() noexcept;
  void set_ref(bool ref);

  // How much could be read at this moment, as far as the kernel tells.
  std::size_t available() const;

  // Reads what is there at this moment, all of it and no more, without waiting for the loop. `took`
  // is told how much of read_room() was filled, each time.
  void read_available(const std::function<void(std::size_t)>& took);

  // Writes what the kernel takes now. The number of bytes, 0 if it takes none, or an errno, negated.
  int try_write(std::string_view bytes);

  // Writes all of `bytes`, in the course of time; on_written() follows. One at a time.
  void write(std::string_view bytes) noexcept;
  bool writing() const { return write_size_ > 0; }
  // How much of what write() was given is written already.
  std::size_t written() const;

  // Nothing more will be written: the peer reads an end. Reading goes on. A descriptor that is no
  // socket has no such half; there it is for the destructor to tell.
  void half_close() noexcept;

  // Whether the kernel takes bytes at this moment.
  bool writable() const;

  // Whether the peer has said that it will not read any more. A full socket does not tell of it.
  bool refused() const;

  // How much of what is written the peer has not read yet, as far as the kernel tells.
  std::size_t unread() const;

  // Writes all of `bytes` now, for a process that is about to end, and drops what comes in
  // meanwhile. What write() has in hand is not part of it, and is not to be written by the loop any
  // more. False: the peer took no byte for that long, or is gone.
  bool write_now(std::string_view bytes, std::chrono::milliseconds patience);

 private:
  // One allocation: libuv needs the request until the handle is closed.
  struct Pipe {
    uv_pipe_t handle;
    uv_write_t write_request;
  };

  void start_reading() noexcept;
  void watch_for_hang_up() noexcept;
  void look_for_hang_up_later() noexcept;
  void look_for_hang_up();
  void stop_watching() noexcept;
  int fd() const;
  uv_stream_t* stream() const { return reinterpret_cast<uv_stream_t*>(pipe_.get()); }

  LoopCore& core_;
  User& user_;
  RawTimer look_again_;  // when the end of the peer cannot be watched for
  UvHandle<Pipe> pipe_;
  // Waits for the end of the peer, on a duplicate: libuv wants one watcher a descriptor.
  UvHandle<uv_poll_t> hang_up_;
  std::optional<Descriptor> hang_up_descriptor_;
  bool looking_ = false;
  std::size_t write_size_ = 0;  // of what write() has in hand
  bool reading_ = false;
  bool ref_ = true;
};

}  // namespace tine::uv
