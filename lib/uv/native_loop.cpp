#include "uv/native_loop.hpp"

#include <atomic>
#include <cassert>

#include <fcntl.h>
#include <unistd.h>

#include "uv/check.hpp"
#include "uv/libuv_abi.hpp"

namespace tine::uv {

namespace {

// Opens /dev/null for closed descriptors from 0 to 2: libuv expects its own descriptors above
// these, and a child would take one of ours for its stdio.
void open_stdio_once() {
  [[maybe_unused]] static const bool done = [] {
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
    if (fd >= 0) ::close(fd);
    return true;
  }();
}

}  // namespace

NativeLoop::NativeLoop() : loop_(nullptr) {
  check_libuv();  // before it writes into a loop that may be too small
  open_stdio_once();
  auto loop = std::make_unique<uv_loop_t>();
  check(uv_loop_init(loop.get()), "an event loop could not be made");
  own_ = std::move(loop);
  loop_ = own_.get();
}

NativeLoop::NativeLoop(uv_loop_t* borrowed) : loop_(borrowed) {
  check_libuv_is_shared();
  check_libuv();
}

NativeLoop::~NativeLoop() {
  if (own_) uv_loop_close(loop_);
}

// Close callbacks come in the next iteration, and a request ends when the thread that works on it
// is done; a copy of the process has no such thread. A handle of the application that is still open
// is the application's bug; the loop's memory is not freed then.
void NativeLoop::close(bool copied) {
  if (!own_) return;
  constexpr int turns = 3;
  const auto requests_open = [&] { return loop_->active_reqs.count > 0 && !copied; };
  for (int turn = 0; turn < turns; ++turn) {
    do uv_run(loop_, requests_open() ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    while (requests_open());
    if (uv_loop_close(loop_) == 0) return own_.reset();
  }
  assert(copied &&
         "a uv handle of the application's is still open on a tine::Loop that is destroyed");
  abandon();
}

// Such loops are in a linked list, so that a leak checker does not report them.
void NativeLoop::abandon() noexcept {
  if (!own_) return;
  static std::atomic<uv_loop_t*> last = nullptr;
  loop_->data = last.exchange(own_.release());
}

}  // namespace tine::uv
