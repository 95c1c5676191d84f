#include "wire/v8_places.hpp"

#include <nlohmann/json.hpp>

#include "wire/v8_tags.hpp"

namespace tine::wire {

using nlohmann::json;

void V8Places::clear() {
  places_.clear();
  references_.clear();
}

// An object begins after the one that it is in.
std::size_t V8Places::member(std::size_t parent, std::string_view key) const {
  for (std::size_t number = parent + 1; number < places_.size(); ++number) {
    const Place& place = places_[number];
    if (place.parent == parent && place.key != nullptr && *place.key == key) return number;
  }
  return none;
}

// Finds the values of all objects in one pass: an object comes after the one that it is in. To
// search for each from the root would take long if they are deep.
std::optional<std::size_t> V8Places::resolve(json& root, std::size_t top, std::size_t most) const {
  std::vector<json*> values;
  values.reserve(places_.size());
  const auto value_at = [&](const Place& place) -> json& {
    return place.parent == none ? root : follow_step(*values[place.parent], step_to(place));
  };
  for (const Place& place : places_) values.push_back(&value_at(place));

  std::size_t total = 0;
  for (const Reference& reference : references_) {
    std::string pointer = pointer_to(reference.target, top);
    total += pointer.size();
    if (total > most) return reference.offset;
    value_at(reference.place) = json::object({{v8::reference_key, std::move(pointer)}});
  }
  return std::nullopt;
}

V8Step V8Places::step_to(const Place& place) const {
  const Place& parent = places_[place.parent];
  return {parent.container, parent.is_tagged, place.index, place.key};
}

std::string V8Places::pointer_to(std::size_t number, std::size_t top) const {
  std::vector<std::size_t> way;  // the object first, its outermost container last
  for (; number != top && places_[number].parent != none; number = places_[number].parent) {
    way.push_back(number);
  }
  std::string pointer;
  for (; !way.empty(); way.pop_back()) append_step(pointer, step_to(places_[way.back()]));
  return pointer;
}

}  // namespace tine::wire
