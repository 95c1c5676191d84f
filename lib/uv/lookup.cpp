#include "uv/lookup.hpp"

#include <memory>
#include <utility>

#include <netdb.h>

#include "tine/error.hpp"

namespace tine::uv {

namespace {

std::error_code code_of(int error) {
  switch (error) {
    case 0: return {};
    case UV_EAI_AGAIN:
    case UV_EAI_FAIL: return Errc::lookup_failed;
    case UV_EAI_MEMORY: return {ENOMEM, std::generic_category()};
    default: return Errc::host_not_found;
  }
}

}  // namespace

Lookup::Lookup(LoopCore& core, const std::string& host, int family, Done done)
    : core_(core), done_(std::move(done)) {
  auto request = std::make_unique<uv_getaddrinfo_t>();
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;  // else each address comes once for each type
  const auto looked_up = [](uv_getaddrinfo_t* ended, int error, addrinfo* found) {
    const std::unique_ptr<uv_getaddrinfo_t> owner(ended);
    const std::unique_ptr<addrinfo, decltype(&uv_freeaddrinfo)> owned(found, &uv_freeaddrinfo);
    auto* const self = static_cast<Lookup*>(ended->data);
    if (self == nullptr) return;
    self->request_ = nullptr;
    self->core_.enter(
        [done = std::move(self->done_), error, found] { done(code_of(error), found); });
  };
  request->data = this;
  if (const int error =
          uv_getaddrinfo(core.native(), request.get(), looked_up, host.c_str(), nullptr, &hints);
      error < 0) {
    throw Error(error == UV_ENOMEM ? code_of(UV_EAI_MEMORY) : code_of(error), host);
  }
  request_ = request.release();
}

// A request that a thread is working on cannot be cancelled. The loop waits for it, and so does
// ~LoopCore. A copy of the process, made by fork(), has no such thread.
Lookup::~Lookup() {
  if (request_ == nullptr) return;
  request_->data = nullptr;
  if (core_.copied()) return;
  uv_cancel(reinterpret_cast<uv_req_t*>(request_));
}

}  // namespace tine::uv
