#include "uv/stream.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <new>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tine/error.hpp"

namespace tine::uv {

namespace {

#ifdef POLLRDHUP
constexpr short poll_hang_up = POLLRDHUP;
#else
constexpr short poll_hang_up = POLLHUP;  // macOS: a half-close waits until reading goes on
#endif

}  // namespace

Stream::Stream(LoopCore& core, Descriptor descriptor, User& user)
    : core_(core), user_(user), look_again_(core, [this] { look_for_hang_up(); }), pipe_(new Pipe) {
  uv_pipe_init(core.native(), &pipe_->handle, 0);
  pipe_->handle.data = this;
  if (const int error = uv_pipe_open(&pipe_->handle, descriptor.get()); error < 0) {
    throw Error(std::error_code(-error, std::generic_category()), "a stream could not be opened");
  }
  descriptor.release();
}

// A write that libuv still has in hand is called back with UV_ECANCELED, when `data` is cleared.
Stream::~Stream() {
  if (writing()) core_.write_ended();
  stop_watching();
}

int Stream::fd() const {
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<const uv_handle_t*>(pipe_.get()), &fd);
  return fd;
}

void Stream::set_reading(bool on) noexcept {
  if (on && !reading_) {
    start_reading();
    stop_watching();
  } else if (!on && !hang_up_ && !looking_) {
    uv_read_stop(stream());
    watch_for_hang_up();
  }
  reading_ = on;
  set_ref(ref_);
}

void Stream::rest() noexcept {
  uv_read_stop(stream());
  stop_watching();
  reading_ = false;
}

void Stream::set_ref(bool ref) {
  ref_ = ref;
  uv::set_ref(pipe_, ref);
  if (hang_up_) uv::set_ref(hang_up_, ref);
  look_again_.set_ref(ref);
}

void Stream::start_reading() noexcept {
  const auto allocate = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    auto* const self = static_cast<Stream*>(handle->data);
    try {
      const std::span<char> room = self->user_.read_room();
      *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
    } catch (const std::bad_alloc&) {
      *buffer = uv_buf_init(nullptr, 0);  // the read ends with UV_ENOBUFS
    }
  };
  const auto read = [](uv_stream_t* handle, ssize_t n, const uv_buf_t*) {
    auto* const self = static_cast<Stream*>(handle->data);
    if (self == nullptr || n == 0) return;  // 0: nothing was there after all
    self->core_.enter([self, n] {
      if (n == UV_ENOBUFS) throw std::bad_alloc();  // the bytes are still to be read
      if (n > 0) {
        self->user_.on_read(static_cast<std::size_t>(n));
      } else {
        self->user_.on_read_end(n == UV_EOF ? 0 : static_cast<int>(-n));
      }
    });
  };
  uv_read_start(stream(), allocate, read);
}

void Stream::watch_for_hang_up() noexcept {
  Descriptor duplicate(fcntl(fd(), F_DUPFD_CLOEXEC, 0));
  if (duplicate.get() < 0) return look_for_hang_up_later();
  std::unique_ptr<uv_poll_t> watch(new (std::nothrow) uv_poll_t);
  if (!watch || uv_poll_init(core_.native(), watch.get(), duplicate.get()) < 0) {
    return look_for_hang_up_later();
  }
  hang_up_.reset(watch.release());
  hang_up_descriptor_.emplace(std::move(duplicate));
  hang_up_->data = this;
  uv_poll_start(hang_up_.get(), UV_DISCONNECT, [](uv_poll_t* handle, int, int) {
    auto* const self = static_cast<Stream*>(handle->data);
    if (self == nullptr) return;
    uv_poll_stop(handle);
    self->core_.enter([self] { self->user_.on_hang_up(); });
  });
}

// When there is no descriptor to watch on: until there is one, looks now and then.
void Stream::look_for_hang_up_later() noexcept {
  constexpr auto now_and_then = std::chrono::milliseconds(100);
  looking_ = true;
  look_again_.start(now_and_then);
}

void Stream::look_for_hang_up() {
  looking_ = false;
  pollfd state{fd(), poll_hang_up, 0};
  if (::poll(&state, 1, 0) > 0) return user_.on_hang_up();
  watch_for_hang_up();
  set_ref(ref_);
}

void Stream::stop_watching() noexcept {
  look_again_.stop();
  looking_ = false;
  if (!hang_up_) return;
  hang_up_.reset();
  hang_up_descriptor_.reset();
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
    const ssize_t n = ::read(fd(), room.data(), std::min(room.size(), left));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    left -= static_cast<std::size_t>(n);
    took(static_cast<std::size_t>(n));
  }
}

int Stream::try_write(std::string_view bytes) {
  const uv_buf_t buffer =
      uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  const int written = uv_try_write(stream(), &buffer, 1);
  return written == UV_EAGAIN ? 0 : written;
}

void Stream::write(std::string_view bytes) noexcept {
  write_size_ = bytes.size();
  core_.write_started();
  const uv_buf_t buffer =
      uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  const auto written = [](uv_write_t* request, int status) {
    auto* const self = static_cast<Stream*>(request->handle->data);
    if (self == nullptr) return;
    self->write_size_ = 0;
    self->core_.write_ended();
    self->core_.enter([self, status] { self->user_.on_written(-status); });
  };
  uv_write(&pipe_->write_request, stream(), &buffer, 1, written);
}

std::size_t Stream::written() const {
  return write_size_ - uv_stream_get_write_queue_size(stream());
}

void Stream::half_close() noexcept { ::shutdown(fd(), SHUT_WR); }

bool Stream::writable() const {
  pollfd state{fd(), POLLOUT, 0};
  return ::poll(&state, 1, 0) > 0;
}

bool Stream::refused() const { return ::send(fd(), "", 0, 0) < 0 && errno == EPIPE; }

std::size_t Stream::unread() const {
  int unread = 0;
  ioctl(fd(), TIOCOUTQ, &unread);
  return static_cast<std::size_t>(unread);
}

bool Stream::write_now(std::string_view bytes, std::chrono::milliseconds patience) {
  using Clock = std::chrono::steady_clock;
  std::array<char, 16 * 1024> dropped;
  std::size_t before = unread();
  auto give_up_at = Clock::now() + patience;
  while (!bytes.empty()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(give_up_at - Clock::now()).count();
    pollfd wait{fd(), POLLIN | POLLOUT, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::clamp<long long>(left, 0, INT_MAX)));
    if (ready < 0 && errno != EINTR) return false;
    if (left <= 0 && (wait.revents & POLLOUT) == 0) {
      if (std::exchange(before, unread()) == before) return false;
      give_up_at = Clock::now() + patience;
    }
    if (ready <= 0) continue;
    if ((wait.revents & POLLIN) != 0 && ::read(fd(), dropped.data(), dropped.size()) == 0) {
      return false;
    }
    const ssize_t n = ::write(fd(), bytes.data(), bytes.size());
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      give_up_at = Clock::now() + patience;
    } else if (errno != EAGAIN && errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace tine::uv
