#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "wire/v8_path.hpp"

namespace tine::wire {

// Where the objects of a message are in its value. V8 numbers them in the order in which they begin,
// and writes such a number where it meets an object again.
//
// In the value, a Relative JSON Pointer to the object stands there. It is made when all has been
// read, because arrays move their elements as they grow, and an object may turn out to need a tag
// around it.
class V8Places {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  void clear();
  std::size_t size() const { return places_.size(); }

  // Adds an object and returns its number. `parent` is the number of the object that it is in, and
  // `step` leads there from its parent. `container` is what it is itself, if it is one.
  std::size_t add(std::size_t parent, const V8Step& step,
                  V8Container container = V8Container::object) {
    places_.push_back({parent, step.index, step.key, container, false, false});
    return places_.size() - 1;
  }
  // Records that the object has got a tag around it.
  void set_tagged(std::size_t number) { places_[number].is_tagged = true; }
  // Records that the object itself does not come, but a copy that is added next, at the same place.
  void set_copied(std::size_t number) { places_[number].is_copied = true; }

  // Adds a place where an object is met again. `offset` is that of its bytes.
  void add_reference(std::size_t parent, const V8Step& step, std::size_t target,
                     std::size_t offset) {
    references_.push_back(
        {{parent, step.index, step.key, V8Container::object, false, false}, target, offset});
  }

  bool has_references() const { return !references_.empty(); }

  // Writes {"$ref": pointer} to the place of each reference, as long as all pointers together have
  // at most `most` bytes. Returns the offset of the reference at which they have more.
  std::optional<std::size_t> resolve(nlohmann::json& root, std::size_t most) const;

 private:
  struct Place {
    std::size_t parent;
    std::size_t index;
    const std::string* key;
    V8Container container;
    bool is_tagged;
    bool is_copied;
  };
  // What is known of an object when all has been read.
  struct Object {
    nlohmann::json* value;
    std::size_t level;  // how many arrays and objects of the value are around it
    std::size_t end;    // the number of the first object behind it that is not in it
  };
  struct Reference {
    Place place;
    std::size_t target;
    std::size_t offset;
  };

  V8Step step_to(const Place& place) const;
  std::vector<Object> find_objects(nlohmann::json& root) const;
  std::string pointer_to_target(const Reference& reference,
                                const std::vector<Object>& objects) const;
  std::size_t shared_levels(std::size_t number, const Place& later,
                            const std::vector<Object>& objects) const;

  std::vector<Place> places_;
  std::vector<Reference> references_;
};

}  // namespace tine::wire
