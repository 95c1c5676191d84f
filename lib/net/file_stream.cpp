#include "net/file_stream.hpp"

#include <cerrno>
#include <utility>

#include "base/system_code.hpp"
#include "tine/error.hpp"

namespace tine::net {

FileStream::FileStream(uv::LoopCore& core, base::Descriptor file, Direction direction)
    : Resident(core), direction_(direction) {
  if (direction == Direction::write) writing_.open();
  file_.emplace(core, std::move(file), [this](int result) { on_done(result); });
}

std::shared_ptr<FileStream> make_file_stream(uv::LoopCore& core, base::Descriptor file,
                                             Direction direction) {
  const auto state = std::make_shared<FileStream>(core, std::move(file), direction);
  core.keep(state);
  return state;
}

void FileStream::on_done(int result) {
  if (closed_) return;  // destroyed meanwhile
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
  writing_.queue().add(bytes, written);
  count_written(0);  // an empty write is complete at once
  write_queued();
  return writing_.takes_more();
}

void FileStream::write_queued() {
  if (file_->busy()) return;
  if (queued_bytes() > 0) return file_->write(writing_.front().substr(0, uv::File::most_at_once));
  if (writing_.is_ending()) finish();
}

void FileStream::on_written(std::size_t n) {
  count_written(n);
  write_queued();
}

void FileStream::count_written(std::size_t n) noexcept {
  writing_.queue().written(n);
  if (writing_.queue().due() > 0) schedule(Due::written);
  if (writing_.drained()) schedule(Due::drain);
}

void FileStream::refuse(SendCallback written) {
  if (core() == nullptr) return;
  const Errc why = writing_.refusal();
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
  writing_.end(last, WriteSide::Ender::user);
  due_.set_due(Due::drain, false);
  write_queued();
}

// --- ending

void FileStream::destroy() {
  check_thread();
  if (!closed_) close(base::system_code(ECANCELED));
}

void FileStream::finish() noexcept {
  writing_.finish();
  closed_ = true;
  schedule(Due::close);
}

void FileStream::fail(std::error_code why) noexcept {
  error_ = why;
  const bool to_report = direction_ == Direction::read || writing_.queue().lacks_callback();
  close(why);
  if (to_report) schedule(Due::error);
}

void FileStream::close(std::error_code unwritten_because) noexcept {
  writing_.destroy(unwritten_because);
  closed_ = true;
  held_ = 0;
  if (writing_.queue().due() > 0) schedule(Due::written);
  due_.set_due(Due::drain, false);
  schedule(Due::close);
}

void FileStream::loop_closing() noexcept {
  const auto keep = shared_from_this();
  file_.reset();
  writing_.destroy(base::system_code(ECANCELED));
  writing_.queue().drop_callbacks();
  closed_ = true;
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
  uv::WriteQueue& queue = writing_.queue();
  for (std::size_t left = queue.due(); left > 0; --left) {
    due_.set_due(Due::written, queue.due() > 1);
    queue.call_first_due();
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
