#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tine::cluster {

// The port of Node's inspector that a worker is to have, so that no two workers want the same one:
// counted up from the port that the options ask for. The first worker is 0.
//
// None: the options, those of NODE_OPTIONS first, ask for no inspector, or for a port that is free.
std::optional<std::uint16_t> inspect_port(std::string_view node_options,
                                          const std::vector<std::string>& exec_args, int worker);

}  // namespace tine::cluster
