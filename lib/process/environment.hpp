#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.hpp"
#include "tine/channel.hpp"
#include "tine/error.hpp"

namespace tine::process {

// Returns the environment of a child: ours, if `inherit` is set, with `changes` applied, and with
// the variables that name its channel and, for a worker of a cluster, its number. Stale variables
// of these names are left out, because getenv() would find the first one. An inherited trace is
// named by its absolute path. The caller adds tine_variable().
std::vector<std::string> child_environment(
    const std::map<std::string, std::optional<std::string>>& changes, bool inherit, int channel_fd,
    std::optional<int> worker, Serialization serialization);

// Returns the variable that says that the parent is tine. `channel` is the child's end of the
// channel.
std::string tine_variable(int channel);

struct AdoptedChannel {
  base::Descriptor socket;
  bool parent_is_tine;
  // Set if the channel cannot be used: the parent asks for an unknown serialization.
  std::optional<Error> refusal = {};
};

// Returns the id that a cluster's primary gave to this process; nullopt if it is not a worker.
// Known before and after the channel is adopted.
std::optional<int> worker_id();

// Returns the serialization that the environment asks for, as far as it is known. Must be called
// before adopt_channel().
Serialization wanted_serialization();

// Takes the channel that the environment names, and removes the variables. Returns nullopt if the
// environment names none.
//
// Throws Error if it names something other than a connected stream socket (Errc::bad_channel).
std::optional<AdoptedChannel> adopt_channel();

}  // namespace tine::process
