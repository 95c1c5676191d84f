#include "wire/v8_places.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "wire/v8_tags.hpp"

namespace tine::wire {

using nlohmann::json;

void V8Places::clear() {
  places_.clear();
  references_.clear();
}

std::optional<std::size_t> V8Places::resolve(json& root, std::size_t most) const {
  const std::vector<Object> objects = find_objects(root);
  std::size_t total = 0;
  for (const Reference& reference : references_) {
    std::string pointer = pointer_to_target(reference, objects);
    total += pointer.size();
    if (total > most) return reference.offset;
    json& container = *objects[reference.place.parent].value;
    follow_step(container, step_to(reference.place)) =
        json::object({{v8::reference_key, std::move(pointer)}});
  }
  return std::nullopt;
}

V8Step V8Places::step_to(const Place& place) const {
  const Place& parent = places_[place.parent];
  return {parent.container, parent.is_tagged, place.index, place.key};
}

// Finds all objects in two passes, because an object comes after the one that it is in. To search
// for each from the root, or from the inside out, would take long if they are deep.
std::vector<V8Places::Object> V8Places::find_objects(json& root) const {
  std::vector<Object> objects;
  objects.reserve(places_.size());
  for (const Place& place : places_) {
    const std::size_t end = objects.size() + 1;
    if (place.parent == none) {
      objects.push_back({&root, 0, end});
    } else {
      const V8Step step = step_to(place);
      const Object& parent = objects[place.parent];
      objects.push_back({&follow_step(*parent.value, step), parent.level + levels_of(step), end});
    }
  }
  for (std::size_t number = places_.size(); number-- > 0;) {
    const Place& place = places_[number];
    Object& object = objects[number];
    if (place.is_copied) object.end = objects[number + 1].end;
    if (place.parent == none) continue;
    Object& parent = objects[place.parent];
    parent.end = std::max(parent.end, object.end);
  }
  return objects;
}

// Leads up to the innermost array or object that has both the reference and the target in it, so
// that the pointer is right wherever that is moved to.
std::string V8Places::pointer_to_target(const Reference& reference,
                                        const std::vector<Object>& objects) const {
  const Place& place = reference.place;
  const auto has_reference = [&](std::size_t number) {
    return number <= place.parent && place.parent < objects[number].end;
  };
  std::vector<std::size_t> way;  // the target first, the outermost that lacks the reference last
  std::size_t common = reference.target;
  for (; !has_reference(common); common = places_[common].parent) way.push_back(common);

  std::size_t skipped = way.empty() ? 0 : shared_levels(way.back(), place, objects);
  const std::size_t level = objects[place.parent].level + levels_of(step_to(place));
  std::string pointer = std::to_string(level - objects[common].level - skipped);
  for (; !way.empty(); way.pop_back()) {
    append_step(pointer, step_to(places_[way.back()]), std::exchange(skipped, 0));
  }
  return pointer;
}

// Returns how many levels of the step to an object also lead to a place behind it in the same
// container: those of the container's tag, and in a Map that of the pair.
std::size_t V8Places::shared_levels(std::size_t number, const Place& later,
                                    const std::vector<Object>& objects) const {
  const Place& place = places_[number];
  const V8Step step = step_to(place);
  if (step.container != V8Container::map) return levels_of(step) - 1;
  const auto is_value_of_pair = [&](const Place& other) {
    return other.parent == place.parent && place.index % 2 == 0 && other.index == place.index + 1;
  };
  // The value is next behind the key, if it is an object.
  const std::size_t next = objects[number].end;
  const bool is_in_value = next <= later.parent && later.parent < objects[next].end;
  const bool is_in_pair = is_value_of_pair(is_in_value ? places_[next] : later);
  return is_in_pair ? 2 : 1;
}

}  // namespace tine::wire
