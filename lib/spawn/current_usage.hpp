#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "spawn/subprocess.hpp"
#include "tine/resources.hpp"

namespace tine::spawn {

// What a program uses at this moment. nullopt if it has exited, or if the system does not tell.
// Never about another program that has got the same pid since.

// Takes some 10 us.
std::optional<std::size_t> resident_memory(const Subprocess& program);
// The time of all its threads. Takes about a microsecond, and has the precision of the scheduler.
std::optional<std::chrono::nanoseconds> cpu_time(const Subprocess& program);
std::optional<CurrentUsage> current_usage(const Subprocess& program);

}  // namespace tine::spawn
