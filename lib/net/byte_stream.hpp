#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>

#include "base/descriptor.hpp"
#include "net/read_side.hpp"
#include "net/write_side.hpp"
#include "tine/error.hpp"
#include "tine/send_callback.hpp"
#include "uv/event_sequence.hpp"
#include "uv/loop_core.hpp"
#include "uv/stream.hpp"

namespace tine::net {

// The direction of the bytes, seen from this process.
enum class Direction { read, write, both };

// A stream of bytes: the part that all public classes of this kind have in common. It reads, writes
// and ends, and reports to its owner.
//
// It knows neither listeners nor what is at the other end.
class ByteStream final : private uv::Stream::User {
 public:
  // The owner of a ByteStream, to which the stream reports. It is kept alive while its functions
  // run. The functions marked "runs listeners" may throw what a listener throws.
  class Owner : public std::enable_shared_from_this<Owner> {
   public:
    virtual ~Owner() = default;
    // Whether there is a listener for data. The stream reads only then, unless set_flowing() says
    // otherwise.
    virtual bool wants_data() const = 0;
    virtual void on_data(std::string_view bytes) = 0;  // runs listeners
    virtual void on_end() = 0;                         // runs listeners
    virtual void on_drain() = 0;                       // runs listeners
    virtual void on_error(Error error) = 0;            // runs listeners
    // For an owner that calls fail_opening().
    virtual void on_open_error(std::error_code /*why*/) {}  // runs listeners
    // The peer is gone, and bytes may be lost with it. This process is not at fault, so nothing is
    // thrown if nobody listens.
    virtual void on_loss(Error error) = 0;  // runs listeners
    virtual void on_close() = 0;            // runs listeners
    // on_close() has run. Only errors of refused writes may follow.
    virtual void on_closed() = 0;
    // Bytes came in, or the kernel took some.
    virtual void on_activity() noexcept {}
  };

  ByteStream(uv::LoopCore& core, Owner& owner) : core_(&core), owner_(owner) {}

  // Opens the stream over a stream descriptor, or a pair. Throws Error.
  void open(uv::StreamEnds ends, Direction direction);
  // Announces an open() for both directions: bytes may be written from now on, and are queued. Such
  // a stream notices the peer's end even if nobody reads, provided that no bytes before the end are
  // unread and that the stream is not paused.
  void open_later() noexcept;
  // After open_later(), if open() cannot follow: reports this and closes.
  void fail_opening(std::error_code why) noexcept;
  // Instead of open(), if there is no descriptor: only closes.
  void open_closed() noexcept;

  bool write(std::string_view bytes, SendCallback written);
  void end(std::string_view last = {});
  void destroy() noexcept;
  // Returns the descriptor to the caller, and otherwise does what destroy() does. If there is none,
  // only returns an empty one.
  base::Descriptor release() noexcept;
  // Writes what the kernel takes at this moment. Returns an error if closing the stream now would
  // lose bytes: some are still unwritten, or were read but not reported yet.
  std::error_code flush() noexcept;
  // -1 if there is none.
  int fd() const { return stream_ ? stream_->fd() : -1; }

  void set_flowing(bool flowing);
  // Whether the last call of set_flowing() stopped the reading.
  bool paused() const { return reading_.paused(); }
  void set_ref(bool ref);
  // To be called when listeners were added or removed.
  void listeners_changed();

  bool readable() const { return reading_.is_open(); }
  bool writable() const { return writing_.is_open(); }
  std::size_t queued() const { return writing_.queue().queued(); }

  // Closes because the loop is going away. Calls nothing of the owner.
  void detach() noexcept;

 private:
  // opening: open() is still to come, and bytes are queued for it.
  enum class State { unopened, opening, open, closed };

  // What is reported, in this order. data: the bytes that are held. written: callbacks. end_writing:
  // on_end() was called, and writing is to end too. closed: on_closed() is due.
  enum class Due {
    data,
    written,
    drain,
    write_error,
    open_error,
    read_error,
    end,
    end_writing,
    close,
    closed
  };

  std::span<char> read_room() override;
  void on_read(std::size_t n) override;
  void on_read_end(int error) override;
  void on_hang_up() override;
  void on_writable() override { write_queued(); }

  bool flowing() const { return reading_.flowing(owner_.wants_data()); }
  void update_reading();

  void refuse(SendCallback written);
  void write_queued() noexcept;
  void write_now() noexcept;
  void count_written(std::size_t n) noexcept;
  void end_with(std::string_view last, WriteSide::Ender ender);
  void fail_writing(int error) noexcept;

  bool can_close() const { return state_ == State::opening || state_ == State::open; }
  void close(std::error_code unwritten_because) noexcept;
  void abort_writing(std::error_code why) noexcept;
  void close_if_ended() noexcept;

  void schedule(Due event) noexcept;
  void emit(Due event);
  void report_held_data();
  void call_written();
  void report_error(std::error_code error, const char* what);
  void report_end();
  void report_close(Due event);

  uv::LoopCore* core_;
  Owner& owner_;
  std::unique_ptr<uv::Stream> stream_;
  State state_ = State::unopened;
  bool ref_ = true;

  ReadSide reading_;
  WriteSide writing_;

  std::error_code write_error_;
  std::error_code read_error_;  // or that of opening
  uv::EventSequence<Due> due_{[this](Due event) { emit(event); }};
};

}  // namespace tine::net
