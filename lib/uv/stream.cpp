#include "uv/stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <utility>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/descriptor_passing.hpp"
#include "uv/check.hpp"

namespace tine::uv {

namespace {

// Returns whether a write is to be tried again: it would block, or the kernel has no memory for its
// bytes.
bool would_wait(int error) { return error == EAGAIN || error == ENOBUFS; }

using Parts = std::array<iovec, 2>;

Parts parts_of(std::string_view bytes, std::string_view then) {
  return {iovec{const_cast<char*>(bytes.data()), bytes.size()},
          iovec{const_cast<char*>(then.data()), then.size()}};
}

}  // namespace

Stream::Stream(LoopCore& core, StreamEnds ends, User& user, Takes takes)
    : core_(core),
      user_(user),
      ends_(std::move(ends)),
      takes_(ends_.write ? Takes::bytes : takes),
      write_hold_(core) {
  if (takes_ == Takes::descriptors) came_.reserve(most_descriptors);
  open(watch_, fd());
  if (ends_.write) open(write_watch_, write_fd());
}

void Stream::open(Watch& watch, int fd) {
  auto poll = std::make_unique<uv_poll_t>();
  check(uv_poll_init(core_.native(), poll.get(), fd), "a stream could not be opened");
  watch.poll.reset(poll.release());
  watch.poll->data = this;
}

void Stream::set_reading(Reading reading) noexcept {
  reading_ = reading;
  update();
}

void Stream::set_ref(bool ref) noexcept {
  ref_ = ref;
  update();
}

void Stream::await_writable() noexcept {
  awaiting_writable_ = true;
  update();
}

void Stream::update() noexcept {
  core_.check_thread();
  const int to_read = (reading_ == Reading::on ? UV_READABLE : 0) |
                      (reading_ == Reading::watching ? UV_DISCONNECT : 0);
  const int to_write = awaiting_writable_ ? UV_WRITABLE : 0;
  const bool for_reading = ref_ && reading_ != Reading::off;
  if (write_watch_.poll) {
    watch(watch_, to_read);
    watch(write_watch_, to_write);
    uv::set_ref(watch_.poll, for_reading);
    uv::set_ref(write_watch_.poll, awaiting_writable_);
  } else {
    watch(watch_, to_read | to_write);
    uv::set_ref(watch_.poll, for_reading || awaiting_writable_);
  }
  write_hold_.set(awaiting_writable_ && (write_watch_.poll || !for_reading));
}

void Stream::watch(Watch& watch, int events) noexcept {
  if (std::exchange(watch.events, events) == events || !usable(watch.poll)) return;
  if (events == 0) {
    uv_poll_stop(watch.poll.get());
    return;
  }
  uv_poll_start(watch.poll.get(), events, [](uv_poll_t* handle, int status, int happened) {
    auto* const self = static_cast<Stream*>(handle->data);
    if (self == nullptr) return;
    Watch& its = handle == self->watch_.poll.get() ? self->watch_ : self->write_watch_;
    // After an error on the descriptor, libuv has stopped polling. Everything waited for counts as
    // ready, because reading and writing tell more about the error.
    if (status < 0) happened = std::exchange(its.events, 0);
    self->happened(*handle, happened);
  });
}

// The user may destroy the stream. The handle outlives it until the next loop iteration, and its
// cleared `data` shows that the stream is gone.
void Stream::happened(const uv_poll_t& handle, int events) {
  LoopCore& core = core_;
  if ((events & UV_WRITABLE) != 0 && awaiting_writable_) {
    awaiting_writable_ = false;
    core.enter([this] { user_.on_writable(); });
  }
  if (handle.data != nullptr && (events & UV_READABLE) != 0 && reading_ == Reading::on) {
    core.enter([this] { read_once(); });
  }
  if (handle.data != nullptr && (events & UV_DISCONNECT) != 0 && reading_ == Reading::watching) {
    reading_ = Reading::off;
    core.enter([this] { user_.on_hang_up(); });
  }
  if (handle.data != nullptr) update();
}

void Stream::read_once() {
  const std::span<char> room = user_.read_room();
  const ssize_t n = receive(room);
  if (n > 0) return user_.on_read(static_cast<std::size_t>(n));
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  reading_ = Reading::off;
  user_.on_read_end(n == 0 ? 0 : errno);
}

ssize_t Stream::receive(std::span<char> room) {
  if (takes_ == Takes::bytes) return ::read(fd(), room.data(), room.size());
  const ssize_t n = base::receive_with_descriptors(fd(), room, came_);
  if (!came_.empty()) user_.on_descriptors(came_);
  came_.clear();
  return n;
}

std::size_t Stream::available() const {
  int available = 0;
  ioctl(fd(), FIONREAD, &available);
  return static_cast<std::size_t>(std::max(available, 0));
}

void Stream::read_available(const std::function<void(std::size_t)>& took) {
  std::size_t left = available();
  while (left > 0) {
    const std::span<char> room = user_.read_room();
    const ssize_t n = receive(room.first(std::min(room.size(), left)));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    left -= static_cast<std::size_t>(n);
    took(static_cast<std::size_t>(n));
  }
}

int Stream::write(std::string_view bytes, std::string_view then,
                  std::span<const base::Descriptor> beside) noexcept {
  Parts parts = parts_of(bytes, then);
  while (true) {
    const ssize_t n = !beside.empty() ? base::send_with_descriptors(write_fd(), parts, beside)
                      : then.empty()  ? ::write(write_fd(), bytes.data(), bytes.size())
                                      : ::writev(write_fd(), parts.data(), parts.size());
    if (n >= 0) return static_cast<int>(n);
    if (errno != EINTR) return would_wait(errno) ? 0 : -errno;
  }
}

// For a pair, the peer reads EOF when the descriptor to write is closed.
void Stream::half_close() noexcept {
  if (!ends_.write) {
    ::shutdown(fd(), SHUT_WR);
    return;
  }
  awaiting_writable_ = false;
  update();
  write_watch_.poll.reset();
  const base::Descriptor closed = std::exchange(*ends_.write, base::Descriptor(-1));
}

bool Stream::writable() const {
  pollfd state{write_fd(), POLLOUT, 0};
  return ::poll(&state, 1, 0) > 0;
}

bool Stream::refused() const { return ::send(write_fd(), "", 0, 0) < 0 && errno == EPIPE; }

// A pipe has the same bytes at both ends, and knows only the question for those to be read.
std::size_t Stream::unread() const {
  int unread = 0;
  if (ioctl(write_fd(), TIOCOUTQ, &unread) < 0 && ends_.write) {
    ioctl(write_fd(), FIONREAD, &unread);
  }
  return static_cast<std::size_t>(unread);
}

Stream::Ready Stream::wait(bool for_writing, std::chrono::milliseconds patience) const {
  using Clock = std::chrono::steady_clock;
  const auto give_up_at = Clock::now() + patience;
  // poll() ignores a negative descriptor.
  std::array<pollfd, 2> states{pollfd{fd(), POLLIN, 0},
                               pollfd{for_writing ? write_fd() : -1, POLLOUT, 0}};
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(give_up_at - Clock::now()).count();
    const int ready = ::poll(states.data(), states.size(),
                             static_cast<int>(std::clamp<long long>(left, 0, INT_MAX)));
    if (ready < 0 && errno == EINTR) continue;
    return {.for_reading = states[0].revents != 0, .for_writing = states[1].revents != 0};
  }
}

base::Descriptor Stream::release() noexcept {
  reading_ = Reading::off;
  awaiting_writable_ = false;
  update();
  watch_.poll.reset();
  return std::move(ends_.read);
}

}  // namespace tine::uv
