#pragma once

#include <vector>

#include <simdjson.h>

#include <nlohmann/json_fwd.hpp>

namespace tine::wire {

// Writes what simdjson parsed over an existing json value, whose nodes and capacities it reuses
// where the shape is the same.
class JsonRefill {
 public:
  // If it throws, `target` is left as some valid value.
  void refill(nlohmann::json& target, simdjson::dom::element from);

 private:
  std::vector<nlohmann::json*> found_;  // empty between calls; kept for its memory
};

}  // namespace tine::wire
