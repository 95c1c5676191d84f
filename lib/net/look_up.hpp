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

// Looks up the addresses of a host, of that family or of any (AF_UNSPEC), as uv::Lookup does. `done` is told
// an error, or of one address at least. Throws Error.
std::unique_ptr<uv::Lookup> look_up(
    uv::LoopCore& core, const std::string& host, int family, std::uint16_t port,
    std::function<void(std::error_code error, std::deque<SocketAddress> found)> done);

}  // namespace tine::net
