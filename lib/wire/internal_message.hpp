#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace tine::wire {

// Messages that the two ends exchange for themselves: objects whose `cmd` is a string that starts
// with `NODE_` and is longer than that. They never reach a "message" listener.
inline constexpr std::string_view internal_prefix = "NODE_";

// The command of all that primary and workers of a cluster say to each other.
inline constexpr std::string_view cluster_command = "NODE_CLUSTER";

// Bun puts this byte in front of the lines of its cluster, some of which have no `cmd`.
inline constexpr char bun_mark = '\x02';

// The JSON of a line.
inline std::string_view without_bun_mark(std::string_view line) {
  return line.starts_with(bun_mark) ? line.substr(1) : line;
}

// The command of an internal message; empty if the message is an ordinary one.
std::string_view internal_command(const nlohmann::json& message);

// Whether a text could be an internal message: it says `NODE_`, or has an escape that could.
bool may_be_internal(std::string_view text);

}  // namespace tine::wire
