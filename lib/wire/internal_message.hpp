#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace tine::wire {

// The prefix of internal messages, which the two ends exchange among themselves: objects whose
// `cmd` is a string that starts with `NODE_` and is longer than that. They never reach a "message"
// listener.
inline constexpr std::string_view internal_prefix = "NODE_";

// The command of all messages between the primary and the workers of a cluster.
inline constexpr std::string_view cluster_command = "NODE_CLUSTER";

// The commands of the answers to a handle: it has arrived, or not.
inline constexpr std::string_view ack_command = "NODE_HANDLE_ACK";
inline constexpr std::string_view nack_command = "NODE_HANDLE_NACK";

// The command of the first line that a tine child sends to a tine parent.
inline constexpr std::string_view hello_command = "NODE_TINE";

// Bun puts this byte in front of its cluster messages, some of which have no `cmd`.
inline constexpr char bun_mark = '\x02';

// Returns the JSON text of a line.
inline std::string_view without_bun_mark(std::string_view line) {
  return line.starts_with(bun_mark) ? line.substr(1) : line;
}

// Returns the command of an internal message; empty for an ordinary message.
std::string_view internal_command(const nlohmann::json& message);

// Returns whether a text could be an internal message: it has Bun's mark, or contains `NODE_` or a
// `\u` escape, which could be part of `NODE_`.
bool may_be_internal(std::string_view text);

}  // namespace tine::wire
