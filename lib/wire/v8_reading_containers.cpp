// The containers of a message: which value comes next, and what they become.
#include <algorithm>
#include <string>
#include <utility>

#include "wire/v8_leaves.hpp"
#include "wire/v8_reading.hpp"
#include "wire/v8_tags.hpp"
#include "wire/v8_text.hpp"

namespace tine::wire {

namespace {

using nlohmann::json;
using v8::Tag;

// Makes a value the object that has a list as its only member, and returns the list.
json& make_list(json& value, const char* key) {
  auto* const object = value.get_ptr<json::object_t*>();
  if (object != nullptr && object->size() == 1 && object->begin()->first == key &&
      object->begin()->second.is_array()) {
    return object->begin()->second;
  }
  value = json::object();
  return value[key] = json::array();
}

json::array_t& elements(json& array) { return *array.get_ptr<json::array_t*>(); }

}  // namespace

bool V8Reading::open_object(json& slot) {
  if (!open(V8Container::object, 1, slot)) return false;
  frames_.back().object = members_.begin(slot);
  return true;
}

bool V8Reading::open_array(Tag tag, json& slot) {
  const std::uint32_t length = input_.varint();
  const bool is_dense = tag == Tag::dense_array;
  if (is_dense && length > input_.left()) return fail("an array that is longer than the message");
  if (!open(V8Container::array, 1, slot)) return false;
  if (!slot.is_array()) slot = json::array();
  frames_.back().length = length;
  frames_.back().is_dense = is_dense;
  return true;
}

bool V8Reading::open_collection(Tag tag, json& slot) {
  const bool is_map = tag == Tag::map;
  if (!open(is_map ? V8Container::map : V8Container::set, 2, slot)) return false;
  frames_.back().list = &make_list(slot, is_map ? v8::map_key : v8::set_key);
  return true;
}

bool V8Reading::open_error(json& slot) {
  if (!open(V8Container::error, 1, slot)) return false;
  slot = json::object();
  slot.emplace(v8::error_key, v8::error_types[0].name);
  return true;
}

json* V8Reading::next_in(Frame& frame) {
  switch (frame.step.container) {
    case V8Container::object: return next_member(frame);
    case V8Container::array: return frame.is_dense ? next_in_dense(frame) : next_in_sparse(frame);
    case V8Container::map: return next_in_map(frame);
    case V8Container::set: return next_in_set(frame);
    case V8Container::error: return next_in_error(frame);
  }
  return nullptr;
}

json* V8Reading::next_member(Frame& frame) {
  mark();
  if (input_.take(Tag::end_of_object)) {
    if (input_.varint() != frame.properties) fail_container("an object with a wrong count");
    return nullptr;
  }
  const auto key = read_key();
  if (!key) return nullptr;
  auto* const member = members_.member(frame.object, *key);
  if (member == nullptr) {
    fail_container("an object with the same key twice");
    return nullptr;
  }
  ++frame.properties;
  frame.step.key = &member->first;
  return &member->second;
}

json* V8Reading::next_in_dense(Frame& frame) {
  while (frame.count < frame.length) {
    mark();
    if (input_.take(Tag::hole)) {
      if (!make_tagged(frame)) return nullptr;
      ++frame.count;
      continue;
    }
    json* const slot = element(frame);
    if (!input_.take(Tag::int32)) return slot;
    // Many arrays have nothing but integers.
    store_int32(input_.zigzag(), *slot);
    if (input_.problem() != nullptr) return slot;
  }
  mark();
  if (input_.take(Tag::end_of_dense_array)) return end_array(frame);
  return property_of_array(frame);
}

// V8 writes keys for the elements of many arrays that have no hole, too.
json* V8Reading::next_in_sparse(Frame& frame) {
  mark();
  if (input_.take(Tag::end_of_sparse_array)) {
    if (frame.count < frame.length && !make_tagged(frame)) return nullptr;
    return end_array(frame);
  }
  const bool is_whole = !frame.step.is_tagged && frame.count < frame.length;
  const auto key = read_key();
  if (!key) return nullptr;
  if (!is_whole || array_index(*key) != frame.count) return property(frame, *key);
  ++frame.properties;
  return element(frame);
}

json* V8Reading::element(Frame& frame) {
  const std::size_t index = frame.count++;
  if (frame.step.is_tagged) {
    const auto member = frame.list->emplace(std::to_string(index), nullptr).first;
    frame.step.key = &member.key();
    return &*member;
  }
  auto& array = elements(*frame.list);
  if (index == array.size()) array.emplace_back();
  frame.step.index = index;
  return &array[index];
}

json* V8Reading::property_of_array(Frame& frame) {
  const auto key = read_key();
  return key ? property(frame, *key) : nullptr;
}

json* V8Reading::property(Frame& frame, std::string_view key) {
  const auto index = array_index(key);
  if (index && *index >= frame.length) {
    fail_container("an array with an element behind its end");
    return nullptr;
  }
  std::string text(key);
  if (!make_tagged(frame)) return nullptr;
  const auto [member, is_new] = frame.list->emplace(std::move(text), nullptr);
  if (!is_new) {
    fail_container("an array with the same key twice");
    return nullptr;
  }
  ++frame.properties;
  frame.step.key = &member.key();
  return &*member;
}

json* V8Reading::end_array(Frame& frame) {
  const std::size_t properties = input_.varint();
  if (properties != frame.properties || input_.varint() != frame.length) {
    fail_container("an array with a wrong count");
  }
  return nullptr;
}

json* V8Reading::next_in_map(Frame& frame) {
  auto& pairs = elements(*frame.list);
  const std::size_t index = frame.count / 2;
  const bool is_key = frame.count % 2 == 0;
  if (is_key) {
    mark();
    if (input_.take(Tag::end_of_map)) return end_collection(frame);
    if (frame.count == 0 && !deepen(frame)) return nullptr;
    if (index == pairs.size()) pairs.emplace_back();
    if (!pairs[index].is_array()) pairs[index] = json::array();
    elements(pairs[index]).resize(2);
  }
  frame.step.index = frame.count++;
  return &pairs[index][is_key ? 0 : 1];
}

json* V8Reading::next_in_set(Frame& frame) {
  mark();
  if (input_.take(Tag::end_of_set)) return end_collection(frame);
  return element(frame);
}

json* V8Reading::end_collection(Frame& frame) {
  if (input_.varint() != frame.count) fail_container("a Map or Set with a wrong count");
  return nullptr;
}

json* V8Reading::next_in_error(Frame& frame) {
  for (;;) {
    mark();
    const char part = input_.byte();
    switch (static_cast<v8::ErrorPart>(part)) {
      case v8::ErrorPart::end: return nullptr;
      case v8::ErrorPart::cause: {
        const auto [cause, is_new] = frame.value->emplace(v8::cause_key, nullptr);
        if (!is_new) fail_container("an Error with two causes");
        return is_new ? &*cause : nullptr;
      }
      case v8::ErrorPart::message:
        if (!read_error_text(frame, v8::message_key)) return nullptr;
        break;
      case v8::ErrorPart::stack:
        if (!read_error_text(frame, v8::stack_key)) return nullptr;
        break;
      default:
        if (!set_error_type(frame, part)) return nullptr;
    }
  }
}

bool V8Reading::read_error_text(Frame& frame, const char* key) {
  std::string text;
  const char* const problem = read_string(input_, input_.tag(), text);
  if (problem != nullptr) return fail_container(problem);
  if (frame.value->emplace(key, std::move(text)).second) return true;
  return fail_container("an Error with a part twice");
}

bool V8Reading::set_error_type(Frame& frame, char letter) {
  const auto* const type =
      std::find_if(v8::error_types.begin(), v8::error_types.end(),
                   [letter](const v8::ErrorType& one) { return one.letter == letter; });
  json& name = frame.value->begin().value();
  if (type == v8::error_types.end() || letter == '\0' || name != v8::error_types[0].name) {
    return fail_container("an Error with an unknown part");
  }
  name = type->name;
  return true;
}

bool V8Reading::close(Frame& frame) {
  switch (frame.step.container) {
    case V8Container::object:
      members_.end(frame.object);
      if (looks_tagged(*frame.object.members) && !escape(frame)) return false;
      break;
    case V8Container::array:
    case V8Container::set:
      if (!frame.step.is_tagged) elements(*frame.list).resize(frame.count);
      break;
    case V8Container::map: elements(*frame.list).resize(frame.count / 2); break;
    case V8Container::error: break;
  }
  const std::size_t deepest = frame.deepest;
  frames_.pop_back();
  if (!frames_.empty()) frames_.back().deepest = std::max(frames_.back().deepest, deepest);
  return true;
}

// Puts a plain object that looks like one with a meaning into a tag that says that it is plain.
bool V8Reading::escape(Frame& frame) {
  if (!deepen(frame)) return false;
  json plain = std::move(*frame.value);
  *frame.value = json::object();
  frame.value->emplace(v8::escape_key, std::move(plain));
  places_.set_tagged(frame.number);
  return true;
}

// Makes an array that is not a list without holes an object that has its keys.
bool V8Reading::make_tagged(Frame& frame) {
  if (frame.step.is_tagged) return true;
  json members = json::object();
  for (std::size_t i = 0; i < frame.count; ++i) {
    members.emplace(std::to_string(i), std::move((*frame.value)[i]));
  }
  *frame.value = json::object();
  frame.value->emplace(v8::length_key, frame.length);
  frame.list = &*frame.value->emplace(v8::array_key, std::move(members)).first;
  frame.step.is_tagged = true;
  places_.set_tagged(frame.number);
  return deepen(frame);
}

}  // namespace tine::wire
