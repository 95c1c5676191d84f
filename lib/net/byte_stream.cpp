#include "net/byte_stream.hpp"

#include <cerrno>
#include <utility>

#include "base/system_code.hpp"
#include "net/loss.hpp"

namespace tine::net {

using Reading = uv::Stream::Reading;

void ByteStream::open(uv::StreamEnds ends, Direction direction) {
  uv::Stream::User& user = *this;
  stream_ = std::make_unique<uv::Stream>(*core_, std::move(ends), user);
  stream_->set_ref(ref_);
  if (std::exchange(state_, State::open) == State::opening) {
    update_reading();
    write_queued();
  } else {
    if (direction != Direction::write) reading_.open(Reading::off);
    if (direction != Direction::read) writing_.open();
  }
}

void ByteStream::open_later() noexcept {
  state_ = State::opening;
  reading_.open(Reading::watching);
  writing_.open();
}

void ByteStream::fail_opening(std::error_code why) noexcept {
  read_error_ = why;
  close(why);
  schedule(Due::open_error);
}

void ByteStream::open_closed() noexcept {
  state_ = State::opening;
  destroy();
}

void ByteStream::set_ref(bool ref) {
  ref_ = ref;
  if (stream_) stream_->set_ref(ref);
}

// --- reading

void ByteStream::set_flowing(bool flowing) {
  flowing ? reading_.resume() : reading_.pause();
  update_reading();
}

void ByteStream::listeners_changed() { update_reading(); }

void ByteStream::update_reading() {
  if (!stream_ || !reading_.is_open()) return;
  const bool somebody_listens = owner_.wants_data();
  if (reading_.held() > 0 && reading_.flowing(somebody_listens)) return schedule(Due::data);
  stream_->set_reading(reading_.wanted_reading(somebody_listens));
}

std::span<char> ByteStream::read_room() { return reading_.room(); }

// After a listener has thrown, this stream may still be read in the same turn. The bytes are held
// until the loop goes on.
void ByteStream::on_read(std::size_t n) {
  reading_.hold(n);
  owner_.on_activity();
  if (!core_->halted()) return owner_.on_data(reading_.take_held());
  stream_->set_reading(Reading::off);
  schedule(Due::data);
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
  reading_.end();
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
  writing_.queue().add(bytes, written);
  count_written(0);  // an empty write is complete at once
  write_queued();
  return writing_.takes_more();
}

void ByteStream::refuse(SendCallback written) {
  if (core_ == nullptr) return;
  const Errc why = writing_.refusal();
  core_->defer([keep = owner_.shared_from_this(), this, why, written = std::move(written)] {
    if (written) {
      written(why);
    } else if (writing_.ended_by_user()) {
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
  while (queued() > 0) {
    const std::string_view front = writing_.front();
    const int written = stream_->write(front);
    if (written < 0) return fail_writing(-written);
    if (written > 0) owner_.on_activity();
    count_written(static_cast<std::size_t>(written));
    if (static_cast<std::size_t>(written) < front.size()) return stream_->await_writable();
  }
  if (!writing_.is_ending()) return;
  writing_.finish();
  if (readable()) stream_->half_close();
  close_if_ended();
}

std::error_code ByteStream::flush() noexcept {
  if (stream_ && queued() > 0) write_now();
  const bool lossy = stream_ && (queued() > 0 || reading_.held() > 0);
  return lossy ? base::system_code(EAGAIN) : std::error_code();
}

void ByteStream::count_written(std::size_t n) noexcept {
  writing_.queue().written(n);
  if (writing_.queue().due() > 0) schedule(Due::written);
  if (writing_.drained()) schedule(Due::drain);
}

void ByteStream::end(std::string_view last) {
  if (writable()) {
    end_with(last, WriteSide::Ender::user);
  } else if (!last.empty()) {
    refuse({});
  }
}

void ByteStream::end_with(std::string_view last, WriteSide::Ender ender) {
  writing_.end(last, ender);
  due_.set_due(Due::drain, false);
  write_queued();
}

// Reading goes on: what the peer has written is still to be reported.
void ByteStream::fail_writing(int error) noexcept {
  write_error_ = base::system_code(error);
  if (writing_.queue().lacks_callback()) schedule(Due::write_error);
  abort_writing(write_error_);
  close_if_ended();
}

// --- ending

void ByteStream::destroy() noexcept {
  if (can_close()) close(base::system_code(ECANCELED));
}

base::Descriptor ByteStream::release() noexcept {
  if (!stream_) return base::Descriptor(-1);
  base::Descriptor released = stream_->release();
  destroy();
  return released;
}

void ByteStream::detach() noexcept {
  core_ = nullptr;  // from now on, schedule() does nothing
  close(base::system_code(ECANCELED));
  writing_.queue().drop_callbacks();
}

// Ends both directions at once. Only errors and callbacks are still reported, and "close".
void ByteStream::close(std::error_code unwritten_because) noexcept {
  abort_writing(unwritten_because);
  reading_.destroy();
  due_.set_due(Due::end, false);
  close_if_ended();
}

void ByteStream::abort_writing(std::error_code why) noexcept {
  writing_.destroy(why);
  due_.set_due(Due::drain, false);
  if (writing_.queue().due() > 0) schedule(Due::written);
}

void ByteStream::close_if_ended() noexcept {
  if (!can_close() || readable() || writing_.is_pending()) return;
  stream_.reset();
  state_ = State::closed;
  schedule(Due::close);
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
      if (writable()) end_with({}, WriteSide::Ender::peer);
      return;
    case Due::close:
    case Due::closed: return report_close(event);
  }
}

// Reading goes on before the listener runs, because the listener may throw.
void ByteStream::report_held_data() {
  if (reading_.held() == 0 || !flowing()) return;
  if (stream_ && readable()) stream_->set_reading(Reading::on);
  owner_.on_data(reading_.take_held());
}

// Calls only the callbacks that are due now: those of new writes wait for the next turn.
void ByteStream::call_written() {
  uv::WriteQueue& queue = writing_.queue();
  for (std::size_t left = queue.due(); left > 0; --left) {
    due_.set_due(Due::written, queue.due() > 1);
    queue.call_first_due();
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
  reading_.free_room();
  owner_.on_closed();
}

}  // namespace tine::net
