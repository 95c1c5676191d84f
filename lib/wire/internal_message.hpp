#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "tine/object.hpp"

namespace tine::wire {

// The prefix of internal messages, which the two ends exchange among themselves: objects whose
// `cmd` is a string that starts with `NODE_` and is longer than that. They never reach a "message"
// listener.
inline constexpr std::string_view internal_prefix = "NODE_";

// The command of all messages between the primary and the workers of a cluster.
inline constexpr std::string_view cluster_command = "NODE_CLUSTER";

// The command of a message with a handle beside it, and those of the answers: the handle has
// arrived, or not.
inline constexpr std::string_view handle_command = "NODE_HANDLE";
inline constexpr std::string_view ack_command = "NODE_HANDLE_ACK";
inline constexpr std::string_view nack_command = "NODE_HANDLE_NACK";

// The type of a handle_command line that announces no handle. The loop of the peer answers it with
// nack_command, which shows that the loop turns.
inline constexpr std::string_view ping_type = "tine.ping";

// The command of the first line that a tine child sends to a tine parent.
inline constexpr std::string_view hello_command = "NODE_TINE";

// Returns the command of an internal message; empty for an ordinary message.
std::string_view internal_command(const nlohmann::json& message);
std::string_view internal_command(const Object& message);

}  // namespace tine::wire
