#pragma once

#include <string>
#include <vector>

#include "command/script/script_result.hpp"

namespace tine::command {

// The report on one transcript. `number` is one-based.
std::string report_for_people(const ScriptResult& result, bool color);
std::string report_as_tap(const ScriptResult& result, std::size_t number);

// The report on all transcripts.
std::string report_as_junit(const std::vector<ScriptResult>& results);

}  // namespace tine::command
