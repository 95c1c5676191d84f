#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace tine::wire {

// The objects that have been written, by the numbers that V8 gives them. They can be looked up from
// the first reference on; until then, which is always for most messages, they are only listed.
class V8Written {
 public:
  void add(const nlohmann::json& value) {
    if (!numbers_.empty()) numbers_.emplace(&value, values_.size());
    values_.push_back(&value);
  }

  // Starts with a new value.
  void clear() {
    values_.clear();
    if (!numbers_.empty()) numbers_.clear();
  }

  std::size_t size() const { return values_.size(); }
  std::size_t capacity() const { return values_.capacity(); }

  void expect_references() {
    if (!numbers_.empty()) return;
    for (std::size_t i = 0; i < values_.size(); ++i) numbers_.emplace(values_[i], i);
  }

  std::optional<std::size_t> find(const nlohmann::json& value) const {
    if (numbers_.empty()) return std::nullopt;
    const auto found = numbers_.find(&value);
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::vector<const nlohmann::json*> values_;
  std::unordered_map<const nlohmann::json*, std::size_t> numbers_;
};

}  // namespace tine::wire
