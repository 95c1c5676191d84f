#pragma once

#include <functional>
#include <string>
#include <system_error>

#include "uv/loop_core.hpp"

struct addrinfo;

namespace tine::uv {

// Looks up the IP addresses of a host by its name, on a thread of libuv's. Keeps the loop alive.
// Destroyed before its time it tells nothing.
class Lookup {
 public:
  // `done` is called once, from inside LoopCore::enter(), and may destroy the lookup. The addresses
  // are valid for the call, and null with an error. Throws Error.
  using Done = std::function<void(std::error_code error, const addrinfo* found)>;
  Lookup(LoopCore& core, const std::string& host, int family, Done done);
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  ~Lookup();

 private:
  LoopCore& core_;
  Done done_;
  uv_getaddrinfo_t* request_;  // its own owner: a thread may be at work on it
};

}  // namespace tine::uv
