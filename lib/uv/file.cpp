#include "uv/file.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace tine::uv {

// Everything that a thread uses, because a thread may be at work when the File is gone. libuv's
// request stands first, so that a pointer to it is a pointer to the whole.
struct File::Request {
  explicit Request(base::Descriptor opened) : file(std::move(opened)) {}

  uv_fs_t libuv;
  base::Descriptor file;
  std::array<char, most_at_once> bytes;
};

File::File(LoopCore& core, base::Descriptor file, Done done)
    : core_(core),
      done_(std::move(done)),
      request_(new Request(std::move(file))),
      write_hold_(core) {}

// A request that a thread is working on cannot be cancelled. The loop waits for it, and so does
// ~LoopCore. A copy of the process, made by fork(), has no such thread.
File::~File() {
  if (!busy()) {
    delete request_;
    return;
  }
  request_->libuv.data = nullptr;
  if (!core_.copied()) uv_cancel(reinterpret_cast<uv_req_t*>(&request_->libuv));
}

void File::read() { start(Work::reading, most_at_once); }

std::string_view File::bytes(std::size_t n) const { return {request_->bytes.data(), n}; }

void File::write(std::string_view bytes) {
  assert(bytes.size() <= most_at_once);
  std::copy(bytes.begin(), bytes.end(), request_->bytes.begin());
  write_hold_.set(true);
  start(Work::writing, bytes.size());
}

// An offset of -1 stands for the file's position. With a single buffer, libuv cannot fail here: it
// needs no memory.
void File::start(Work work, std::size_t size) {
  assert(!busy());
  work_ = work;
  request_->libuv.data = this;
  const uv_buf_t part = uv_buf_init(request_->bytes.data(), static_cast<unsigned>(size));
  const auto call = work == Work::reading ? uv_fs_read : uv_fs_write;
  call(core_.native(), &request_->libuv, request_->file.get(), &part, 1, -1, [](uv_fs_t* libuv) {
    const auto result = static_cast<int>(libuv->result);
    uv_fs_req_cleanup(libuv);
    if (auto* const self = static_cast<File*>(libuv->data)) return self->ended(result);
    delete reinterpret_cast<Request*>(libuv);
  });
}

void File::ended(int result) {
  work_ = Work::none;
  write_hold_.set(false);
  core_.enter([this, result] { done_(result); });
}

}  // namespace tine::uv
