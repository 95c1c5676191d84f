#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tine::cluster {

// Returns the port for the Node inspector of a worker: the port that the options ask for, plus
// `worker`, so that no two workers want the same one. The first worker is 0.
//
// The options of NODE_OPTIONS come first. Returns none if the options ask for no inspector, or for
// port 0, any free one.
std::optional<std::uint16_t> inspect_port(std::string_view node_options,
                                          const std::vector<std::string>& exec_args, int worker);

}  // namespace tine::cluster
