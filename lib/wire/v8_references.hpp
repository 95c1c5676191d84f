#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

namespace tine::wire {

// The references in a value, and what they name.
//
// A pointer begins at the place of its reference, and a value does not know what it is in. So all
// references are found in one pass from the root. Does not recurse.
class V8References {
 public:
  // Finds the references in a value, which must stay as it is.
  void find(const nlohmann::json& root);
  void clear();

  bool empty() const { return targets_.empty(); }

  // Returns what a reference names; null if it names nothing. nullopt: it is not a reference.
  std::optional<const nlohmann::json*> target(const nlohmann::json& reference) const;

 private:
  // An array or object whose elements are visited.
  struct Level {
    const nlohmann::json* value;
    nlohmann::json::const_iterator next;
    bool has_members;  // the next one has the members of a tagged array or object
  };

  void visit(const nlohmann::json& value, bool is_plain);
  const nlohmann::json* find_target(const nlohmann::json& pointer) const;

  std::vector<Level> levels_;  // around the value that is visited
  std::unordered_map<const nlohmann::json*, const nlohmann::json*> targets_;
};

}  // namespace tine::wire
