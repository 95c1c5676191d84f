#pragma once

#include <functional>
#include <string>
#include <system_error>

#include "uv/loop_core.hpp"

struct addrinfo;

namespace tine::uv {

// A lookup of the IP addresses of a host name, on a thread of libuv. It keeps the loop alive. If it
// is destroyed before it ends, `done` is not called.
class Lookup {
 public:
  // `done` is called once, from inside LoopCore::enter(), and may destroy the lookup. `found` is
  // valid during the call, and null if there is an error. The constructor throws Error.
  using Done = std::function<void(std::error_code error, const addrinfo* found)>;
  Lookup(LoopCore& core, const std::string& host, int family, Done done);
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  ~Lookup();

 private:
  LoopCore& core_;
  Done done_;
  uv_getaddrinfo_t* request_;  // owns itself: a thread may be working on it
};

}  // namespace tine::uv
