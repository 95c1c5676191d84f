#pragma once

#include <nlohmann/json_fwd.hpp>

namespace tine::command {

// Returns a message with what JSON has no word for as the objects that stand for it: see "As JSON text"
// in docs/advanced.md. Messages that come as a Text have them already.
nlohmann::ordered_json as_text(const nlohmann::json& value);

}  // namespace tine::command
