#include "command/run/byte_reader.hpp"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace tine::command {

// Shared by the thread, the ByteReader and the posted functions. `bytes_` belongs to the thread
// from a request until its piece is posted.
class ByteReader::State : public std::enable_shared_from_this<State> {
 public:
  State(Loop& loop, int fd, Came came) : loop_(loop), fd_(fd), came_(std::move(came)) {
    if (pipe(requests_.data()) < 0) throw std::system_error(errno, std::generic_category());
    for (const int end : requests_) fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    close(requests_[0]);
    if (requests_[1] >= 0) close(requests_[1]);
  }

  void request() { static_cast<void>(!::write(requests_[1], "", 1)); }

  // Closes the request pipe, which ends the thread.
  void end() {
    came_ = nullptr;
    close(std::exchange(requests_[1], -1));
  }

  void run() {
    char request = 0;
    while (::read(requests_[0], &request, 1) == 1 && wait()) {
      const ssize_t n = read_piece();
      size_ = n > 0 ? static_cast<std::size_t>(n) : 0;
      loop_.post([self = shared_from_this()] { self->tell(); });
    }
  }

 private:
  // Waits until the descriptor is readable. Returns false if the ByteReader is gone.
  bool wait() const {
    std::array<pollfd, 2> ends{{{fd_, POLLIN, 0}, {requests_[0], POLLIN, 0}}};
    while (true) {
      if (poll(ends.data(), ends.size(), -1) < 0 && errno != EINTR) return true;
      if (ends[1].revents != 0) return false;
      if (ends[0].revents != 0) return true;
    }
  }

  ssize_t read_piece() {
    while (true) {
      const ssize_t n = ::read(fd_, bytes_.data(), bytes_.size());
      if (n >= 0 || (errno != EINTR && errno != EAGAIN)) return n;
      if (!wait()) return 0;
    }
  }

  void tell() {
    if (came_) came_({bytes_.data(), size_});
  }

  Loop& loop_;
  int fd_;
  Came came_;
  std::array<int, 2> requests_{};
  std::array<char, std::size_t{64} << 10> bytes_{};
  std::size_t size_ = 0;
};

ByteReader::ByteReader(Loop& loop, int fd, Came came)
    : state_(std::make_shared<State>(loop, fd, std::move(came))),
      thread_([state = state_] { state->run(); }) {}

ByteReader::~ByteReader() {
  state_->end();
  thread_.join();
}

void ByteReader::more() { state_->request(); }

}  // namespace tine::command
