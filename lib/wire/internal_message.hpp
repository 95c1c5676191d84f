#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace tine::wire {

// Messages that the two ends exchange for themselves: objects whose `cmd` is a string that starts
// with `NODE_` and is longer than that. They never reach a "message" listener.
inline constexpr std::string_view internal_prefix = "NODE_";

// The command of an internal message; empty if the message is an ordinary one.
std::string_view internal_command(const nlohmann::json& message);

// Whether a text could be an internal message: it says `NODE_`, or has an escape that could.
bool may_be_internal(std::string_view text);

}  // namespace tine::wire
