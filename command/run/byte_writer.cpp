#include "command/run/byte_writer.hpp"

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace tine::command {

namespace {

constexpr std::size_t high_mark = std::size_t{256} << 10;

}  // namespace

class ByteWriter::State : public std::enable_shared_from_this<State> {
 public:
  State(Loop& loop, int fd, Listeners listeners)
      : loop_(loop), fd_(fd), listeners_(std::move(listeners)) {}

  // --- on the loop's thread

  bool write(std::string_view bytes) {
    gathered_.append(bytes);
    if (!std::exchange(hand_over_due_, true)) {
      loop_.post([self = shared_from_this()] { self->hand_over(); });
    }
    if (gathered_.size() + handed_ < high_mark) return true;
    drain_due_ = true;
    return false;
  }

  void finish() {
    finishing_ = true;
    loop_.ref();
    hand_over();
  }

  void end() {
    listeners_ = {};
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_one();
  }

  // --- on the writing thread

  void run() {
    std::string writing;
    while (take(writing)) {
      const int error = failed_ ? 0 : write_all(writing);
      failed_ = failed_ || error != 0;
      loop_.post([self = shared_from_this(), size = writing.size(), error] {
        self->written(size, error);
      });
    }
  }

 private:
  void hand_over() {
    hand_over_due_ = false;
    handed_ += gathered_.size();
    if (handed_ == 0) return tell_finished();
    const std::lock_guard lock(mutex_);
    queue_.append(gathered_);
    gathered_.clear();
    changed_.notify_one();
  }

  void written(std::size_t size, int error) {
    const auto keep = shared_from_this();
    handed_ -= size;
    if (error != 0 && listeners_.failed) listeners_.failed(error);
    if (gathered_.size() + handed_ <= high_mark / 2 && std::exchange(drain_due_, false)) {
      if (listeners_.drained) listeners_.drained();
    }
    tell_finished();
  }

  void tell_finished() {
    if (!finishing_ || gathered_.size() + handed_ > 0) return;
    finishing_ = false;
    loop_.unref();
    if (listeners_.finished) listeners_.finished();
  }

  bool take(std::string& writing) {
    writing.clear();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    std::swap(writing, queue_);
    return !ending_;
  }

  int write_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN) {
        pollfd writable{fd_, POLLOUT, 0};  // another process made it non-blocking
        poll(&writable, 1, -1);
      } else if (errno != EINTR) {
        return errno;
      }
    }
    return 0;
  }

  Loop& loop_;
  int fd_;
  Listeners listeners_;
  std::string gathered_;    // bytes of this turn
  std::size_t handed_ = 0;  // bytes given to the thread and not yet known to be written
  bool hand_over_due_ = false;
  bool drain_due_ = false;
  bool finishing_ = false;

  bool failed_ = false;  // used by the writing thread only

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string queue_;
  bool ending_ = false;
};

ByteWriter::ByteWriter(Loop& loop, int fd, Listeners listeners)
    : state_(std::make_shared<State>(loop, fd, std::move(listeners))),
      thread_([state = state_] { state->run(); }) {}

ByteWriter::~ByteWriter() {
  state_->end();
  thread_.join();
}

bool ByteWriter::write(std::string_view bytes) { return state_->write(bytes); }
void ByteWriter::finish() { state_->finish(); }

}  // namespace tine::command
