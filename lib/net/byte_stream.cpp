#include "net/byte_stream.hpp"

#include <cerrno>
#include <utility>

#include "base/system_code.hpp"
#include "net/loss.hpp"

namespace tine::net {

using Reading = uv::Stream::Reading;

namespace {

// The bytes read at a time. As in Node, it is the capacity of a pipe.
constexpr std::size_t room_size = std::size_t{64} << 10;

// From this many queued bytes on, write() returns false. "drain" comes at half of it, so that the
// kernel has bytes to take while the next ones are made.
constexpr std::size_t high_mark = std::size_t{64} << 10;
constexpr std::size_t low_mark = high_mark / 2;

// The most bytes passed to one write system call.
constexpr std::size_t most_at_once = std::size_t{1} << 20;

// The capacity that an empty buffer may keep.
constexpr std::size_t most_kept = std::size_t{256} << 10;

}  // namespace

ByteStream::ByteStream(uv::LoopCore& core, Owner& owner)
    : core_(&core), owner_(owner), queue_(most_kept) {}

void ByteStream::open(uv::StreamEnds ends, Direction direction) {
  uv::Stream::User& user = *this;
  stream_ = std::make_unique<uv::Stream>(*core_, std::move(ends), user);
  stream_->set_ref(ref_);
  if (std::exchange(opening_, false)) return opened();
  if (direction != Direction::write) reading_ = Side::open;
  if (direction != Direction::read) writing_ = Side::open;
}

void ByteStream::open_later() noexcept {
  opening_ = true;
  notices_end_ = true;
  reading_ = Side::open;
  writing_ = Side::open;
}

void ByteStream::opened() noexcept {
  update_reading();
  write_queued();
}

void ByteStream::fail_opening(std::error_code why) noexcept {
  read_error_ = why;
  close(why);
  schedule(Due::open_error);
}

void ByteStream::open_closed() noexcept {
  reading_ = Side::destroyed;
  writing_ = Side::destroyed;
  schedule(Due::close);
}

void ByteStream::set_ref(bool ref) {
  ref_ = ref;
  if (stream_) stream_->set_ref(ref);
}

// --- reading

void ByteStream::set_flowing(bool flowing) {
  flowing_ = flowing;
  update_reading();
}

void ByteStream::listeners_changed() { update_reading(); }

void ByteStream::update_reading() {
  if (!stream_ || reading_ != Side::open) return;
  if (!flowing()) {
    if (notices_end_ && !paused()) return stream_->set_reading(Reading::watching);
    stream_->set_reading(Reading::off);
  } else if (held_ > 0) {
    schedule(Due::data);
  } else {
    stream_->set_reading(Reading::on);
  }
}

std::span<char> ByteStream::read_room() {
  if (!room_) room_ = std::make_unique_for_overwrite<char[]>(room_size);
  return {room_.get(), room_size};
}

// After a listener has thrown, this stream may still be read in the same turn. The bytes are held
// until the loop goes on.
void ByteStream::on_read(std::size_t n) {
  held_ = n;
  owner_.on_activity();
  if (!core_->halted()) return report_data();
  stream_->set_reading(Reading::off);
  schedule(Due::data);
}

void ByteStream::report_data() {
  const std::size_t n = std::exchange(held_, 0);
  owner_.on_data({room_.get(), n});
}

// Called when the peer is gone. If bytes are still unread, they wait for a listener. Otherwise only
// the end, or the error, is left to be read.
void ByteStream::on_hang_up() {
  if (stream_->available() > 0) return stream_->set_reading(Reading::off);
  stream_->set_reading(Reading::on);
}

void ByteStream::on_read_end(int error) {
  if (error != 0) {
    read_error_ = base::system_code(error);
    close(read_error_);
    return schedule(Due::read_error);
  }
  reading_ = Side::ended;
  schedule(Due::end);
  close_if_ended();
}

// --- writing

// Once the bytes are taken, nothing can fail.
bool ByteStream::write(std::string_view bytes, SendCallback written) {
  if (!writable()) {
    refuse(std::move(written));
    return false;
  }
  queue_.add(bytes, written);
  count_written(0);  // an empty write is complete at once
  write_queued();
  if (!writable()) return false;
  drain_wanted_ = drain_wanted_ || queue_.queued() >= high_mark;
  return queue_.queued() < high_mark;
}

void ByteStream::refuse(SendCallback written) {
  if (core_ == nullptr) return;
  const Errc why = writing_ == Side::destroyed ? Errc::stream_destroyed : Errc::write_after_end;
  core_->defer([keep = owner_.shared_from_this(), this, why, written = std::move(written)] {
    if (written) {
      written(why);
    } else if (user_has_ended_) {
      owner_.on_error(Error(why, "bytes were not taken"));
    } else {
      owner_.on_loss(Error(why, "bytes were not taken"));
    }
  });
}

void ByteStream::write_queued() noexcept {
  if (stream_ && !stream_->awaiting_writable()) write_now();
}

void ByteStream::write_now() noexcept {
  while (queue_.queued() > 0) {
    const std::string_view front = queue_.front().substr(0, most_at_once);
    const int written = stream_->write(front);
    if (written < 0) return fail_writing(-written);
    if (written > 0) owner_.on_activity();
    count_written(static_cast<std::size_t>(written));
    if (static_cast<std::size_t>(written) < front.size()) return stream_->await_writable();
  }
  if (writing_ == Side::ending) end_writing();
}

std::error_code ByteStream::flush() noexcept {
  if (stream_ && queue_.queued() > 0) write_now();
  const bool lossy = stream_ && (queue_.queued() > 0 || held_ > 0);
  return lossy ? base::system_code(EAGAIN) : std::error_code();
}

void ByteStream::count_written(std::size_t n) noexcept {
  queue_.written(n);
  if (queue_.due() > 0) schedule(Due::written);
  if (!drain_wanted_ || !writable() || queue_.queued() > low_mark) return;
  drain_wanted_ = false;
  schedule(Due::drain);
}

void ByteStream::end(std::string_view last) {
  if (writable()) {
    user_has_ended_ = true;
    end_with(last);
  } else if (!last.empty()) {
    refuse({});
  }
}

void ByteStream::end_with(std::string_view last) {
  SendCallback none;
  queue_.add(last, none);
  writing_ = Side::ending;
  due_.set_due(Due::drain, false);
  write_queued();
}

void ByteStream::end_writing() noexcept {
  writing_ = Side::ended;
  if (reading_ == Side::open) stream_->half_close();
  close_if_ended();
}

// Reading goes on: what the peer has written is still to be reported.
void ByteStream::fail_writing(int error) noexcept {
  const std::error_code why = base::system_code(error);
  const bool to_report = queue_.lacks_callback();
  queue_.cancel(why);
  write_error_ = why;
  writing_ = Side::destroyed;
  due_.set_due(Due::drain, false);
  if (to_report) schedule(Due::write_error);
  if (queue_.due() > 0) schedule(Due::written);
  close_if_ended();
}

// --- ending

void ByteStream::destroy() noexcept {
  if (stream_ || opening_) close(base::system_code(ECANCELED));
}

base::Descriptor ByteStream::release() noexcept {
  if (!stream_) return base::Descriptor(-1);
  base::Descriptor released = stream_->release();
  destroy();
  return released;
}

void ByteStream::close_if_ended() noexcept {
  if (reading_ == Side::open || write_pending() || (!stream_ && !opening_)) return;
  stream_.reset();
  opening_ = false;
  schedule(Due::close);
}

void ByteStream::close(std::error_code unwritten_because) noexcept {
  if (write_pending()) queue_.cancel(unwritten_because);
  if (queue_.due() > 0) schedule(Due::written);
  reading_ = Side::destroyed;
  writing_ = Side::destroyed;
  held_ = 0;
  due_.set_due(Due::drain, false);
  due_.set_due(Due::end, false);
  close_if_ended();
}

void ByteStream::detach() noexcept {
  stream_.reset();
  opening_ = false;
  reading_ = Side::destroyed;
  writing_ = Side::destroyed;
  queue_.drop_callbacks();
  core_ = nullptr;
}

// --- reporting

void ByteStream::schedule(Due event) noexcept {
  due_.schedule(event, core_, owner_.shared_from_this());
}

void ByteStream::emit(Due event) {
  switch (event) {
    case Due::data: return report_held_data();
    case Due::written: return call_written();
    case Due::drain: return owner_.on_drain();
    case Due::write_error: return report_error(write_error_, "writing to the stream failed");
    case Due::open_error: return owner_.on_open_error(read_error_);
    case Due::read_error: return report_error(read_error_, "reading from the stream failed");
    case Due::end: return report_end();
    case Due::end_writing:
      if (writable()) end_with({});
      return;
    case Due::close:
    case Due::closed: return report_close(event);
  }
}

// Reading goes on before the listener runs, because the listener may throw.
void ByteStream::report_held_data() {
  if (held_ == 0 || !flowing()) return;
  if (stream_ && reading_ == Side::open) stream_->set_reading(Reading::on);
  report_data();
}

// Calls only the callbacks that are due now: those of new writes wait for the next turn.
void ByteStream::call_written() {
  for (std::size_t left = queue_.due(); left > 0; --left) {
    due_.set_due(Due::written, queue_.due() > 1);
    queue_.call_first_due();
  }
}

void ByteStream::report_error(std::error_code error, const char* what) {
  Error reported(error, what);
  is_loss(error) ? owner_.on_loss(std::move(reported)) : owner_.on_error(std::move(reported));
}

void ByteStream::report_end() {
  due_.set_due(Due::end_writing);
  owner_.on_end();
}

// Reports that a listener has made due come before.
void ByteStream::report_close(Due event) {
  if (due_.due_before(event)) return due_.set_due(event);
  if (event == Due::close) {
    due_.set_due(Due::closed);
    return owner_.on_close();
  }
  room_.reset();
  owner_.on_closed();
}

}  // namespace tine::net
