#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace tine::wire {

// Returns the JSON text of a value that was received. Binary, and numbers that are not finite, are
// objects in it, which V8Writer takes for these values. docs/advanced.md has them.
std::string json_text(const nlohmann::json& value);

}  // namespace tine::wire
