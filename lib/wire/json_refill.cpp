#include "wire/json_refill.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace tine::wire {

namespace {

using nlohmann::json;
namespace dom = simdjson::dom;

// Destroys the members of a value. nlohmann's own destructor needs memory for the members of a value,
// and ends the program if it gets none.
void destroy_members(json& value) noexcept {
  if (auto* const array = value.get_ptr<json::array_t*>()) {
    for (json& element : *array) destroy_members(element);
    array->clear();
  } else if (auto* const object = value.get_ptr<json::object_t*>()) {
    for (auto& [key, member] : *object) destroy_members(member);
    object->clear();
  }
}

// These are not inlined, because messages that follow each other mostly have the same shape.

[[gnu::noinline]] void shrink(json::array_t& array, std::size_t size) {
  for (std::size_t i = size; i < array.size(); ++i) destroy_members(array[i]);
  array.resize(size);
}

[[gnu::noinline]] void erase_from(json::object_t& object, json::object_t::iterator first) {
  for (auto unused = first; unused != object.end(); ++unused) destroy_members(unused->second);
  object.erase(first, object.end());
}

// Replaces a value by one of another type.
template <class T>
[[gnu::noinline]] void replace(json& target, T value) {
  destroy_members(target);
  target = std::move(value);
}

// One refill. It is a class of this file so that the compiler can inline its functions into each
// other.
class Refill {
 public:
  explicit Refill(std::vector<json*>& found) : found_(found) {}

  void fill(json& target, dom::element from) {
    switch (from.type()) {
      case dom::element_type::OBJECT: fill_object(target, from.get_object()); break;
      case dom::element_type::ARRAY: fill_array(target, from.get_array()); break;
      case dom::element_type::STRING: fill_string(target, from.get_string()); break;
      case dom::element_type::INT64: fill_integer(target, from.get_int64()); break;
      case dom::element_type::UINT64:
        assign(target, json::value_t::number_unsigned, std::uint64_t{from.get_uint64()});
        break;
      case dom::element_type::DOUBLE:
        assign(target, json::value_t::number_float, double{from.get_double()});
        break;
      case dom::element_type::BOOL:
        assign(target, json::value_t::boolean, bool{from.get_bool()});
        break;
      case dom::element_type::NULL_VALUE: replace(target, nullptr); break;
    }
  }

 private:
  // Compares the types because get_ptr() to a signed number also succeeds for an unsigned one.
  template <class T>
  static void assign(json& target, json::value_t type, T value) {
    if (target.type() == type) {
      *target.get_ptr<T*>() = value;
    } else {
      replace(target, value);
    }
  }

  // Stores a non-negative integer as unsigned, as nlohmann's own parser does.
  static void fill_integer(json& target, std::int64_t number) {
    if (number < 0) {
      assign(target, json::value_t::number_integer, number);
    } else {
      assign(target, json::value_t::number_unsigned, static_cast<std::uint64_t>(number));
    }
  }

  // A text of the same length, as names of states and formatted dates are, is copied without
  // assign(), which costs more than the rest.
  static void fill_string(json& target, std::string_view text) {
    if (auto* const old = target.get_ptr<json::string_t*>()) {
      if (old->size() == text.size()) return static_cast<void>(text.copy(old->data(), text.size()));
      old->assign(text);
    } else {
      replace(target, json::string_t(text));
    }
  }

  void fill_array(json& target, dom::array from) {
    if (!target.is_array()) replace(target, json::array());
    auto& array = *target.get_ptr<json::array_t*>();
    std::size_t size = 0;
    for (const dom::element element : from) {
      if (size == array.size()) array.emplace_back();
      fill(array[size++], element);
    }
    if (size < array.size()) shrink(array, size);
  }

  // Reads each field once, however much of the existing object can be reused. Otherwise a text with
  // an object on each level could be read twice for each level.
  void fill_object(json& target, dom::object from) {
    if (!target.is_object()) replace(target, json::object());
    auto& object = *target.get_ptr<json::object_t*>();
    Fields fields{from.begin(), from.end()};
    auto old = object.begin();
    std::size_t in_order = 0;  // members that come sorted, as tine and others send them
    for (; !fields.empty() && old != object.end() && old->first == fields.key(); ++old) {
      fill(old->second, fields.take());
      ++in_order;
    }
    if (fields.empty() && old == object.end()) return;
    if (refill(object, old, object.size() - in_order, fields)) return;
    if (old != object.end()) erase_from(object, old);
    // The hint makes keys that are sorted linear.
    while (!fields.empty()) {
      json& value = object.try_emplace(object.end(), json::string_t(fields.key()))->second;
      fill(value, fields.take());
    }
  }

  // The fields of an object that are still to be read.
  struct Fields {
    dom::object::iterator next;
    dom::object::iterator end;

    bool empty() const { return !(next != end); }
    std::string_view key() const { return next.key(); }
    dom::element take() {
      const dom::element value = next.value();
      ++next;
      return value;
    }
  };

  // Reads over the `left` existing members from `old` on if the remaining fields have exactly their
  // keys, in any order. Otherwise reads nothing and returns false.
  bool refill(json::object_t& object, json::object_t::iterator old, std::size_t left,
              Fields fields) {
    if (left == 0 || left > most_compared) return false;
    const std::size_t first = found_.size();
    const bool same_keys = find_all(object, old, left, fields);
    if (same_keys) {
      for (std::size_t i = first; !fields.empty(); ++i) fill(*found_[i], fields.take());
    }
    found_.resize(first);
    return same_keys;
  }

  // Appends to found_ the existing value for each remaining key. Returns false if the keys are not
  // exactly those of the `left` members from `old` on.
  bool find_all(json::object_t& object, json::object_t::iterator old, std::size_t left,
                Fields fields) {
    const std::size_t first = found_.size();
    for (; !fields.empty(); ++fields.next) {
      const auto found = object.find(fields.key());
      const bool is_left = found != object.end() && !(found->first < old->first);
      if (!is_left || found_.size() - first == left) return false;
      found_.push_back(&found->second);
    }
    return found_.size() - first == left && each_once(first);
  }

  bool each_once(std::size_t first) const {
    for (auto one = found_.begin() + static_cast<std::ptrdiff_t>(first); one != found_.end();
         ++one) {
      if (std::find(one + 1, found_.end(), *one) != found_.end()) return false;
    }
    return true;
  }

  // Above this size, comparing each member with each other costs more than a new object.
  static constexpr std::size_t most_compared = 32;

  std::vector<json*>& found_;  // the values to fill, for all objects that are being refilled
};

}  // namespace

void JsonRefill::refill(json& target, dom::element from) {
  found_.clear();  // left by a refill that ran out of memory
  Refill(found_).fill(target, from);
}

}  // namespace tine::wire
