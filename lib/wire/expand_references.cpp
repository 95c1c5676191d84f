#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tine/error.hpp"
#include "tine/references.hpp"
#include "wire/json_reader.hpp"
#include "wire/v8_path.hpp"
#include "wire/v8_references.hpp"
#include "wire/v8_tags.hpp"

namespace tine {

namespace {

using nlohmann::json;
using wire::V8Meaning;

// Returns about how much memory a value needs, without the values in it.
std::size_t size_of(const json& value) {
  constexpr std::size_t node = 4 * sizeof(void*) + sizeof(std::string);
  if (const auto* const text = value.get_ptr<const std::string*>()) {
    return sizeof(json) + sizeof(*text) + text->size();
  }
  if (value.is_binary()) return sizeof(json) + sizeof(json::binary_t) + value.get_binary().size();
  std::size_t size = sizeof(json);
  if (const auto* const object = value.get_ptr<const json::object_t*>()) {
    for (const auto& [key, member] : *object) size += node + key.size();
  }
  return size;
}

// The making of a value without references. Does not recurse.
class Expansion {
 public:
  Expansion(const wire::V8References& references, const ExpandLimits& limits)
      : references_(references),
        bytes_left_(limits.copied_bytes),
        max_depth_(std::min(limits.max_depth, wire::JsonReader::deepest)) {}

  json of(const json& root) {
    json result;
    put(root, {&result, false, false});
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.next == level.end) {
        levels_.pop_back();
      } else {
        const auto from = level.next++;
        const bool is_members = std::exchange(level.has_members, false);
        put(*from, {&add_slot(*level.result, from), is_members, level.is_copy});
      }
    }
    return result;
  }

 private:
  // Where a value is put.
  struct Place {
    json* slot;
    bool is_members;  // those of a tagged array or object
    bool is_copy;     // in what a reference has named
  };

  // An array or object that is being made.
  struct Level {
    const json* source;
    json* result;
    json::const_iterator next;
    json::const_iterator end;
    bool has_members;  // the next one has the members of a tagged array or object
    bool is_copy;
  };

  // Makes the slot in a container for what `from` has.
  static json& add_slot(json& container, const json::const_iterator& from) {
    if (auto* const array = container.get_ptr<json::array_t*>()) return array->emplace_back();
    auto& object = *container.get_ptr<json::object_t*>();
    return object.emplace_hint(object.end(), from.key(), nullptr)->second;
  }

  void put(const json& value, const Place& place) {
    const auto target = references_.target(value);
    if (!target) return copy(value, place);
    if (*target == nullptr) fail("a $ref that names nothing");
    const auto around = std::find_if(levels_.rbegin(), levels_.rend(),
                                     [&](const Level& level) { return level.source == *target; });
    if (around != levels_.rend()) {
      const auto up = std::distance(levels_.rbegin(), around) + 1;
      return put_reference(std::to_string(up), value, place);
    }
    if (!wire::can_be_referred_to(**target)) fail("a $ref that names no object");
    copy(**target, {place.slot, false, true});
  }

  // A copy may be deeper than what it is a copy of, so the pointer may be another one.
  void put_reference(std::string pointer, const json& value, const Place& place) {
    if (place.is_copy) count(value);
    check_depth();
    *place.slot = json::object({{wire::v8::reference_key, std::move(pointer)}});
  }

  void copy(const json& value, const Place& place) {
    if (place.is_copy) count(value);
    if (!value.is_structured()) {
      *place.slot = value;
      return;
    }
    const auto* const object = value.get_ptr<const json::object_t*>();
    const bool is_object = object != nullptr && !place.is_members;
    const V8Meaning meaning = is_object ? wire::meaning_of(*object) : V8Meaning::plain;
    if (is_object && meaning == V8Meaning::plain && may_get_meaning(*object)) {
      return open_escaped(value, place);
    }
    open(value, place).has_members = meaning == V8Meaning::escape || meaning == V8Meaning::array;
  }

  // Returns whether a plain object may look like one with a meaning when it has no reference any
  // more, as {"$set": {"$ref": "2/a"}} does.
  bool may_get_meaning(const json::object_t& object) const {
    if (object.empty() || !object.begin()->first.starts_with('$')) return false;
    const json& first = object.begin()->second;
    const auto is_reference = [this](const json& value) {
      return references_.target(value).has_value();
    };
    if (is_reference(first)) return true;
    return first.is_array() && std::any_of(first.begin(), first.end(), is_reference);
  }

  void open_escaped(const json& value, const Place& place) {
    Level& tag = open(value, place);
    tag.next = tag.end;
    json& members = (*place.slot)[wire::v8::escape_key];
    open(value, {&members, true, place.is_copy}).source = nullptr;  // references name the tag
  }

  Level& open(const json& value, const Place& place) {
    check_depth();
    *place.slot = value.type();
    auto* const array = place.slot->get_ptr<json::array_t*>();
    if (array != nullptr) array->reserve(value.size());
    levels_.push_back({&value, place.slot, value.begin(), value.end(), false, place.is_copy});
    return levels_.back();
  }

  void count(const json& value) {
    const std::size_t size = size_of(value);
    if (size > bytes_left_) fail("references to objects that are too large together");
    bytes_left_ -= size;
  }

  void check_depth() const {
    if (levels_.size() < max_depth_) return;
    fail("nested more than " + std::to_string(max_depth_) + " deep");
  }

  // Throws an error with the path to the value that is put.
  [[noreturn]] void fail(const std::string& reason) const {
    json::json_pointer path;
    for (const Level& level : levels_) {
      const json& made = *level.result;
      if (made.is_array()) {
        path /= made.size() - 1;
      } else {
        path /= std::prev(made.end()).key();
      }
    }
    throw Error(Errc::bad_message, reason + wire::at_pointer(path.to_string()));
  }

  const wire::V8References& references_;
  std::size_t bytes_left_;
  std::size_t max_depth_;
  std::vector<Level> levels_;  // around the value that is put
};

}  // namespace

json expand_references(json part, const ExpandLimits& limits) {
  wire::V8References references;
  references.find(part);
  return references.empty() ? std::move(part) : Expansion(references, limits).of(part);
}

}  // namespace tine
