#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include "net/socket_address.hpp"
#include "uv/lookup.hpp"
#include "uv/loop_core.hpp"

namespace tine::net {

// Resolves the addresses of a host as uv::Lookup does, for one family or for any (AF_UNSPEC).
// `done` gets an error, or at least one address. Throws Error.
std::unique_ptr<uv::Lookup> resolve(
    uv::LoopCore& core, const std::string& host, int family, std::uint16_t port,
    std::function<void(std::error_code error, std::deque<SocketAddress> found)> done);

}  // namespace tine::net
