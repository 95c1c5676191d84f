#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace tine::process {

// Return a member of an object that a peer has sent, which may be anything: a member that is missing
// or of another type, or a number that does not fit, is null, empty or false.
const nlohmann::json& member(const nlohmann::json& message, const char* name);
std::string text_member(const nlohmann::json& message, const char* name);
std::optional<std::int64_t> number_member(const nlohmann::json& message, const char* name);
bool flag_member(const nlohmann::json& message, const char* name);

}  // namespace tine::process
