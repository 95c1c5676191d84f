#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/descriptor.hpp"
#include "base/error_events.hpp"
#include "net/stream_state.hpp"
#include "net/write_side.hpp"
#include "tine/send_callback.hpp"
#include "uv/event_sequence.hpp"
#include "uv/file.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// The state of a stream over a file, or over a device that is always ready. It is read or written,
// not both. There is no peer: nobody hangs up, and only a request that fails ends it early.
class FileStream final : public StreamBackend,
                         public uv::Resident,
                         public std::enable_shared_from_this<FileStream> {
 public:
  // `direction` is read or write.
  FileStream(uv::LoopCore& core, base::Descriptor file, Direction direction);

  Stream handle() { return handle_of(shared_from_this()); }

  bool write(std::string_view bytes, SendCallback written) override;
  void end(std::string_view last) override;
  void destroy() override;
  void set_flowing(bool flowing) override;
  bool readable() const override { return direction_ == Direction::read && !closed_; }
  bool writable() const override { return writing_.is_open(); }
  std::size_t queued_bytes() const override { return writing_.queue().queued(); }
  // No request waits for anything, so the loop may wait for each of them.
  void set_ref(bool) override {}

  void listeners_changed() override;
  void loop_closing() noexcept override;

 private:
  // read: the next piece is to be read. closed: the last listener of "close" has run.
  enum class Due { data, read, written, drain, error, end, close, closed };

  void on_done(int result);
  void on_read(std::size_t n);
  void on_written(std::size_t n);

  bool flowing() const { return flowing_.value_or(list<"data">().count() > 0); }
  void update_reading();
  void read();

  void write_queued();
  void count_written(std::size_t n) noexcept;
  void refuse(SendCallback written);

  void finish() noexcept;
  void fail(std::error_code why) noexcept;
  void close(std::error_code unwritten_because) noexcept;

  void schedule(Due event) noexcept { due_.schedule(event, core(), shared_from_this()); }
  void emit(Due event);
  void report_data();
  void report_written();
  void report_error();
  void report_close(Due event);

  std::optional<uv::File> file_;
  Direction direction_;
  bool closed_ = false;  // "close" is due or was emitted

  std::optional<bool> flowing_;
  std::size_t held_ = 0;  // bytes that were read and are not reported yet

  WriteSide writing_;

  std::error_code error_;
  base::ErrorEvents error_events_;
  uv::EventSequence<Due> due_{[this](Due event) { emit(event); }};
};

// Creates a stream over a file that is open for this direction: read or write.
std::shared_ptr<FileStream> make_file_stream(uv::LoopCore& core, base::Descriptor file,
                                             Direction direction);

}  // namespace tine::net
