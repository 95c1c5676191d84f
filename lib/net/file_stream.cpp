#include "net/file_stream.hpp"

#include <cerrno>
#include <utility>

#include "base/system_code.hpp"
#include "tine/error.hpp"

namespace tine::net {

FileStream::FileStream(uv::LoopCore& core, base::Descriptor file, Direction direction)
    : Resident(core), direction_(direction), queue_(std::size_t{256} << 10) {
  file_.emplace(core, std::move(file), [this](int result) { on_done(result); });
}

std::shared_ptr<FileStream> make_file_stream(uv::LoopCore& core, base::Descriptor file,
                                             Direction direction) {
  const auto state = std::make_shared<FileStream>(core, std::move(file), direction);
  core.keep(state);
  return state;
}

void FileStream::on_done(int result) {
  if (state_ != State::open && state_ != State::ending) return;  // destroyed meanwhile
  if (result < 0) return fail(base::system_code(-result));
  const auto n = static_cast<std::size_t>(result);
  direction_ == Direction::read ? on_read(n) : on_written(n);
}

// --- reading

void FileStream::set_flowing(bool flowing) {
  check_thread();
  flowing_ = flowing;
  update_reading();
}

void FileStream::listeners_changed() {
  check_thread();
  update_reading();
}

// The next piece is read on a later turn, because a listener may still be looking at the last one.
void FileStream::update_reading() {
  if (!readable() || !flowing()) return;
  schedule(held_ > 0 ? Due::data : Due::read);
}

void FileStream::read() {
  if (readable() && flowing() && held_ == 0 && !file_->busy()) file_->read();
}

void FileStream::on_read(std::size_t n) {
  if (n > 0) {
    held_ = n;
    return update_reading();
  }
  schedule(Due::end);
  finish();
}

// --- writing

bool FileStream::write(std::string_view bytes, SendCallback written) {
  check_thread();
  if (!writable()) {
    refuse(std::move(written));
    return false;
  }
  queue_.add(bytes, written);
  count_written(0);  // an empty write is complete at once
  write_queued();
  drain_wanted_ = drain_wanted_ || queue_.queued() >= high_mark;
  return queue_.queued() < high_mark;
}

void FileStream::write_queued() {
  if (file_->busy()) return;
  if (queue_.queued() > 0) return file_->write(queue_.front().substr(0, uv::File::most_at_once));
  if (state_ == State::ending) finish();
}

void FileStream::on_written(std::size_t n) {
  count_written(n);
  write_queued();
}

void FileStream::count_written(std::size_t n) noexcept {
  queue_.written(n);
  if (queue_.due() > 0) schedule(Due::written);
  if (!drain_wanted_ || !writable() || queue_.queued() > low_mark) return;
  drain_wanted_ = false;
  schedule(Due::drain);
}

void FileStream::refuse(SendCallback written) {
  if (core() == nullptr) return;
  const Errc why = state_ == State::destroyed ? Errc::stream_destroyed : Errc::write_after_end;
  const bool own_end = direction_ == Direction::write && why == Errc::write_after_end;
  core()->defer([self = shared_from_this(), why, own_end, written = std::move(written)] {
    if (written) return written(why);
    if (!own_end && !base::ErrorEvents::heard(*self)) return;
    self->error_events_.emit(*self, Error(why, "bytes were not taken"));
  });
}

void FileStream::end(std::string_view last) {
  check_thread();
  if (!writable()) {
    if (!last.empty()) refuse({});
    return;
  }
  SendCallback none;
  queue_.add(last, none);
  state_ = State::ending;
  due_.set_due(Due::drain, false);
  write_queued();
}

// --- ending

void FileStream::destroy() {
  check_thread();
  if (state_ == State::open || state_ == State::ending) close(base::system_code(ECANCELED));
}

void FileStream::finish() noexcept {
  state_ = State::ended;
  schedule(Due::close);
}

void FileStream::fail(std::error_code why) noexcept {
  error_ = why;
  const bool to_report = direction_ == Direction::read || queue_.lacks_callback();
  close(why);
  if (to_report) schedule(Due::error);
}

void FileStream::close(std::error_code unwritten_because) noexcept {
  state_ = State::destroyed;
  held_ = 0;
  queue_.cancel(unwritten_because);
  if (queue_.due() > 0) schedule(Due::written);
  due_.set_due(Due::drain, false);
  schedule(Due::close);
}

void FileStream::loop_closing() noexcept {
  const auto keep = shared_from_this();
  file_.reset();
  state_ = State::destroyed;
  queue_.drop_callbacks();
  clear();
}

// --- reporting

void FileStream::emit(Due event) {
  switch (event) {
    case Due::data: return report_data();
    case Due::read: return read();
    case Due::written: return report_written();
    case Due::drain: return notify<"drain">();
    case Due::error: return report_error();
    case Due::end: return notify<"end">();
    case Due::close:
    case Due::closed: return report_close(event);
  }
}

// The next piece is due before the listener runs, because the listener may throw.
void FileStream::report_data() {
  if (held_ == 0 || !flowing()) return;
  due_.set_due(Due::read);
  notify<"data">(file_->bytes(std::exchange(held_, 0)));
}

// Calls only the callbacks that are due now: those of new writes wait for the next turn.
void FileStream::report_written() {
  for (std::size_t left = queue_.due(); left > 0; --left) {
    due_.set_due(Due::written, queue_.due() > 1);
    queue_.call_first_due();
  }
}

void FileStream::report_error() {
  const bool reading = direction_ == Direction::read;
  error_events_.emit(*this, Error(error_, reading ? "reading from the file failed"
                                                  : "writing to the file failed"));
}

// Reports that a listener has made due come before.
void FileStream::report_close(Due event) {
  if (due_.due_before(event)) return due_.set_due(event);
  if (event == Due::close) {
    due_.set_due(Due::closed);
    return notify<"close">();
  }
  file_.reset();
  error_events_.remove_listeners(*this);
  core()->release(*this);
}

}  // namespace tine::net
