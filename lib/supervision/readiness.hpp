#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace tine::supervision {

// What makes a child ready, behind tine::Ready: a message that equals `value`, or the answer to a request
// whose params are `value`.
struct Readiness {
  nlohmann::json value;
  std::string method;  // empty: a message
};

}  // namespace tine::supervision
