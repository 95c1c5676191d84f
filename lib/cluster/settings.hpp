#pragma once

#include <map>
#include <optional>
#include <string>

#include "tine/cluster.hpp"
#include "tine/fork_options.hpp"

namespace tine::cluster {

// Changes the settings that are given. A setting with its default value counts as not given.
void merge(ClusterSettings& settings, const ClusterSettings& given);

// Returns the balancing that NODE_CLUSTER_SCHED_POLICY asks for, otherwise round robin.
Balancing balancing_of_environment();

// Returns how to start the worker of this id, with additional variables for it alone.
ForkOptions worker_options(const ClusterSettings& settings,
                           const std::map<std::string, std::optional<std::string>>& env, int id);

}  // namespace tine::cluster
