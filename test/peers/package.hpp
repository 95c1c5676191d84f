// A peer that is a script with packages of npm.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "peer.hpp"

// Returns the path of a file in node_modules.
inline std::string installed(const std::string& file) { return PEERS "/node_modules/" + file; }

struct Package : Peer {
  Package(TestLoop& loop, const std::string& script, std::vector<std::string> args = {},
          tine::Serialization serialization = tine::Serialization::json)
      : Peer(loop, script,
             {.args = std::move(args), .exec_path = "node", .serialization = serialization}) {}
};
