#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include "net/write_queue.hpp"
#include "tine/channel.hpp"
#include "tine/error.hpp"
#include "uv/descriptor.hpp"
#include "uv/loop_core.hpp"
#include "uv/stream.hpp"
#include "uv/task.hpp"

namespace tine::net {

// Which way bytes go, seen from here.
enum class Direction { read, write, both };

// A stream of bytes, the half that all public classes of that kind have in common: it reads, writes,
// and ends, and tells its owner what happens.
//
// It knows neither listeners nor what is at the other end.
class ByteStream final : private uv::Stream::User {
 public:
  // Whose stream it is. It owns the ByteStream, and is kept alive while its functions run. Those
  // that say so run listeners, and may throw what these throw.
  class Owner : public std::enable_shared_from_this<Owner> {
   public:
    virtual ~Owner() = default;
    // Whether somebody takes data, unless set_flowing() says otherwise.
    virtual bool wants_data() const = 0;
    virtual void on_data(std::string_view bytes) = 0;  // runs listeners
    virtual void on_end() = 0;                         // runs listeners
    virtual void on_drain() = 0;                       // runs listeners
    virtual void on_error(Error error) = 0;            // runs listeners
    // The peer is gone, and maybe bytes with it. That is no fault of this process, so nothing is thrown
    // where nobody listens.
    virtual void on_loss(Error error) = 0;  // runs listeners
    virtual void on_close() = 0;            // runs listeners
    // on_close() has been told, and was the last.
    virtual void on_closed() = 0;
    // Bytes came in, or the kernel took some.
    virtual void on_activity() noexcept {}
  };

  ByteStream(uv::LoopCore& core, Owner& owner) : core_(&core), owner_(owner) {}

  // Of a stream descriptor. Throws Error.
  void open(uv::Descriptor descriptor, Direction direction);
  // Before that, for both directions: bytes may be written, and are queued. The peer's end is then
  // noticed though nobody reads, if all before it was read, and unless it is paused.
  void open_later() noexcept;
  // After open_later(): that is an error, and all ends.
  void fail_opening(std::error_code why) noexcept;
  // Instead of that, when there is none: all that comes is on_close().
  void open_closed() noexcept;

  bool write(std::string_view bytes, SendCallback written);
  void end(std::string_view last = {});
  void destroy() noexcept;
  // destroy(), but that the descriptor is the caller's. Of no descriptor, if there is none.
  uv::Descriptor release() noexcept;
  // Gives the kernel what it takes at this moment. An error if there are bytes that would be lost with the
  // stream: some are not written still, or came in and are not told.
  std::error_code flush() noexcept;
  // -1: there is none.
  int fd() const { return stream_ ? stream_->fd() : -1; }

  void set_flowing(bool flowing);
  // Whether it was told not to flow, and not since that it may.
  bool paused() const { return flowing_ == false; }
  void set_ref(bool ref);
  // To be called when listeners have come or gone.
  void listeners_changed();

  bool readable() const { return reading_ == Side::open; }
  bool writable() const { return writing_ == Side::open; }
  std::size_t queued() const { return queue_.queued(); }

  // Closes because the loop is going: nothing is told.
  void detach() noexcept;

 private:
  // What becomes of one direction. ending: it is over when all is written.
  enum class Side { open, ending, ended, destroyed };

  std::span<char> read_room() override;
  void on_read(std::size_t n) override;
  void on_read_end(int error) override;
  void on_hang_up() override;
  void on_writable() override { write_queued(); }

  void opened() noexcept;
  void end_with(std::string_view last);
  bool flowing() const { return flowing_.value_or(owner_.wants_data()); }
  void update_reading();
  void tell_data();

  void refuse(const SendCallback& written);
  void write_queued() noexcept;
  void write_now() noexcept;
  void count_written(std::size_t n) noexcept;
  bool write_pending() const { return writing_ == Side::open || writing_ == Side::ending; }
  void end_writing() noexcept;
  void fail_writing(int error) noexcept;

  void close_if_ended() noexcept;
  void close(std::error_code unwritten_because) noexcept;
  void schedule() noexcept;
  bool due() const;
  void tell();
  void tell_written();
  void tell_error(std::error_code& error, const char* what);
  void tell_end();
  void tell_close();

  uv::LoopCore* core_;
  Owner& owner_;
  std::unique_ptr<uv::Stream> stream_;
  bool opening_ = false;  // there will be a stream
  bool failed_to_open_ = false;
  bool notices_end_ = false;
  bool ref_ = true;

  Side reading_ = Side::ended;
  std::optional<bool> flowing_;
  std::unique_ptr<char[]> room_;
  std::size_t held_ = 0;  // bytes of room_ that are still to be told

  Side writing_ = Side::ended;
  bool user_has_ended_ = false;
  WriteQueue queue_;
  bool drain_wanted_ = false;

  // What is still to be told, beside held_ and the queue's callbacks, in this order.
  bool drain_due_ = false;
  std::error_code write_error_;
  std::error_code read_error_;
  bool end_due_ = false;
  bool end_told_ = false;  // and writing is to end too
  bool close_due_ = false;
  bool close_told_ = false;  // and nothing will come any more

  uv::Task tell_task_{[this] { tell(); }};
};

}  // namespace tine::net
