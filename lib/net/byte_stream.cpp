#include "net/byte_stream.hpp"

#include <cerrno>
#include <utility>

#include "net/loss.hpp"
#include "net/tell_error.hpp"

namespace tine::net {

namespace {

// The bytes read at a time. As in Node, it is the capacity of a pipe.
constexpr std::size_t room_size = std::size_t{64} << 10;

// From this many queued bytes on, write() returns false. "drain" comes at half of it, so that the
// kernel has bytes to take while the next ones are made.
constexpr std::size_t high_mark = std::size_t{64} << 10;
constexpr std::size_t low_mark = high_mark / 2;

// The most bytes passed to one write system call.
constexpr std::size_t most_at_once = std::size_t{1} << 20;

}  // namespace

void ByteStream::open(base::Descriptor descriptor, Direction direction) {
  uv::Stream::User& user = *this;
  stream_ = std::make_unique<uv::Stream>(*core_, std::move(descriptor), user);
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
  failed_to_open_ = true;
  read_error_ = why;
  close(why);
}

void ByteStream::open_closed() noexcept {
  reading_ = Side::destroyed;
  writing_ = Side::destroyed;
  close_due_ = true;
  schedule();
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
    if (notices_end_ && !paused()) return stream_->set_reading(false);
    stream_->rest();
  } else if (held_ > 0) {
    schedule();
  } else {
    stream_->set_reading(true);
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
  if (!core_->halted()) return tell_data();
  stream_->rest();
  schedule();
}

void ByteStream::tell_data() {
  const std::size_t n = std::exchange(held_, 0);
  owner_.on_data({room_.get(), n});
}

// Called when the peer is gone. If bytes are still unread, they wait for a listener. Otherwise only
// the end, or the error, is left to be read.
void ByteStream::on_hang_up() {
  if (stream_->available() > 0) return stream_->rest();
  stream_->set_reading(true);
}

void ByteStream::on_read_end(int error) {
  if (error != 0) {
    read_error_ = system_code(error);
    return close(read_error_);
  }
  reading_ = Side::ended;
  end_due_ = true;
  schedule();
  close_if_ended();
}

// --- writing

// Once the bytes are taken, nothing can fail.
bool ByteStream::write(std::string_view bytes, SendCallback written) {
  if (!writable()) {
    refuse(written);
    return false;
  }
  queue_.add(bytes, written);
  count_written(0);  // an empty write is complete at once
  write_queued();
  if (!writable()) return false;
  drain_wanted_ = drain_wanted_ || queue_.queued() >= high_mark;
  return queue_.queued() < high_mark;
}

void ByteStream::refuse(const SendCallback& written) {
  if (core_ == nullptr) return;
  const Errc why = writing_ == Side::destroyed ? Errc::stream_destroyed : Errc::write_after_end;
  core_->defer([keep = owner_.shared_from_this(), this, why, written] {
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
  return lossy ? system_code(EAGAIN) : std::error_code();
}

void ByteStream::count_written(std::size_t n) noexcept {
  queue_.written(n);
  if (queue_.due() > 0) schedule();
  if (!drain_wanted_ || !writable() || queue_.queued() > low_mark) return;
  drain_wanted_ = false;
  drain_due_ = true;
  schedule();
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
  drain_due_ = false;
  write_queued();
}

void ByteStream::end_writing() noexcept {
  writing_ = Side::ended;
  if (reading_ == Side::open) stream_->half_close();
  close_if_ended();
}

// Reading goes on: what the peer has written is still to be reported.
void ByteStream::fail_writing(int error) noexcept {
  const std::error_code why = system_code(error);
  if (queue_.cancel(why)) write_error_ = why;
  writing_ = Side::destroyed;
  drain_due_ = false;
  schedule();
  close_if_ended();
}

// --- ending

void ByteStream::destroy() noexcept {
  if (stream_ || opening_) close(system_code(ECANCELED));
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
  close_due_ = true;
  schedule();
}

void ByteStream::close(std::error_code unwritten_because) noexcept {
  if (write_pending()) queue_.cancel(unwritten_because);
  reading_ = Side::destroyed;
  writing_ = Side::destroyed;
  held_ = 0;
  drain_due_ = false;
  end_due_ = false;
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

void ByteStream::schedule() noexcept { core_->defer(tell_task_, owner_.shared_from_this()); }

bool ByteStream::due() const {
  return queue_.due() > 0 || drain_due_ || write_error_ || read_error_ || end_due_ || end_told_;
}

// If a listener throws, whatever is still due comes first when the loop goes on.
void ByteStream::tell() {
  struct Telling {
    ~Telling() {
      self.update_reading();
      if (!self.due() && !self.close_due_ && !self.close_told_) return;
      self.core_->defer_first(self.tell_task_, self.owner_.shared_from_this());
    }
    ByteStream& self;
  } telling{*this};
  if (held_ > 0 && flowing()) tell_data();
  tell_written();
  if (std::exchange(drain_due_, false)) owner_.on_drain();
  tell_error(write_error_, "writing to the stream failed");
  tell_error(read_error_, "reading from the stream failed");
  tell_end();
  if (!due()) tell_close();  // reports that a listener has made due come first
}

void ByteStream::tell_end() {
  if (std::exchange(end_due_, false)) {
    end_told_ = true;
    owner_.on_end();
  }
  if (std::exchange(end_told_, false) && writable()) end_with({});
}

void ByteStream::tell_close() {
  if (std::exchange(close_due_, false)) {
    close_told_ = true;
    owner_.on_close();
  }
  if (!std::exchange(close_told_, false)) return;
  room_.reset();
  owner_.on_closed();
}

// Calls only the callbacks that are due now: those of new writes wait for the next turn.
void ByteStream::tell_written() {
  for (std::size_t due = queue_.due(); due > 0; --due) queue_.call_first_due();
}

void ByteStream::tell_error(std::error_code& error, const char* what) {
  if (!error) return;
  Error told(error, what);
  error.clear();
  const bool lost = !failed_to_open_ && is_loss(told.code());
  lost ? owner_.on_loss(std::move(told)) : owner_.on_error(std::move(told));
}

}  // namespace tine::net
