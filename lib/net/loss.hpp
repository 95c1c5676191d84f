#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace tine::net {

// Whether an error means that the peer, or the way to the peer, is gone. This process is not at
// fault then.
inline bool is_loss(const std::error_code& error) {
  constexpr std::array gone{EPIPE,    ECONNRESET, ECONNABORTED, ENOTCONN,     ETIMEDOUT,
                            ENETDOWN, ENETRESET,  ENETUNREACH,  EHOSTUNREACH, ECONNREFUSED};
  return error.category() == std::generic_category() &&
         std::find(gone.begin(), gone.end(), error.value()) != gone.end();
}

}  // namespace tine::net
