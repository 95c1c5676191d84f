#pragma once

#include <cstddef>
#include <utility>

#include <nlohmann/json.hpp>

// Returns a value inside of so many arrays, or objects with the member "a".
inline nlohmann::json nested(std::size_t depth, nlohmann::json innermost, bool objects = false) {
  for (std::size_t i = 0; i < depth; ++i) {
    auto outer = objects ? nlohmann::json::object() : nlohmann::json::array();
    (objects ? outer["a"] : outer.emplace_back()) = std::move(innermost);
    innermost = std::move(outer);
  }
  return innermost;
}
