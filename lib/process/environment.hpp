#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "uv/descriptor.hpp"

namespace tine::process {

// The environment of a child: ours, if it is to inherit it, changed by `changes`, and with the
// variables that name its channel, and its number if it is a worker of a cluster. Stale ones of ours are
// left out: getenv() would find the first. tine_variable() is to be added.
std::vector<std::string> child_environment(
    const std::map<std::string, std::optional<std::string>>& changes, bool inherit, int channel_fd,
    std::optional<int> worker);

// The variable that says that the parent is tine, for a child that has this end of the channel.
std::string tine_variable(int channel);

struct AdoptedChannel {
  uv::Descriptor socket;
  bool parent_is_tine;
};

// The id that a cluster's primary has given to this process; none if it is no worker. Known until and after
// the channel is adopted.
std::optional<int> worker_id();

// Takes the channel that the environment names, and removes the variables. nullopt: it names none.
//
// Throws Error: it names something that is no connected stream socket (Errc::bad_channel), or a
// form of message other than JSON lines (Errc::unsupported_serialization), and the channel is
// closed then.
std::optional<AdoptedChannel> adopt_channel();

}  // namespace tine::process
