#include "wire/v8_writing.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "wire/v8_leaf_writer.hpp"

namespace tine::wire {

namespace {

using nlohmann::json;
using v8::Tag;

const json::object_t& members_of(const json& object) {
  return *object.get_ptr<const json::object_t*>();
}

char letter_of(const json& name) {
  const auto* const type =
      std::find_if(v8::error_types.begin(), v8::error_types.end(),
                   [&name](const v8::ErrorType& one) { return name == one.name; });
  return type->letter;
}

}  // namespace

std::optional<std::string> V8Writing::write(const json& root, base::ByteBuffer& out) {
  base::Appending appending(out);
  out_ = V8Output(out);
  out_.byte(v8::header);
  out_.byte(v8::written_version);
  auto problem = write_root(root, 0);
  if (!problem) appending.keep();
  return problem;
}

std::optional<std::string> V8Writing::write_part(const json& root, std::size_t objects,
                                                 base::ByteBuffer& out) {
  base::Appending appending(out);
  out_ = V8Output(out);
  auto problem = write_root(root, objects);
  if (!problem) appending.keep();
  return problem;
}

std::optional<std::string> V8Writing::write_root(const json& root, std::size_t objects) {
  root_ = &root;
  objects_ = objects;
  frames_.clear();
  written_.clear();
  references_.clear();
  problem_.reset();
  const json* value = &root;
  while (value != nullptr && write_value(*value)) value = next_value();
  return std::move(problem_);
}

bool V8Writing::write_value(const json& value) {
  switch (value.type()) {
    case json::value_t::null: out_.tag(Tag::null); return true;
    case json::value_t::boolean:
      out_.tag(value.get<bool>() ? Tag::true_value : Tag::false_value);
      return true;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float: return check(write_number(out_, value));
    case json::value_t::string: return check(write_text(out_, value.get_ref<const std::string&>()));
    case json::value_t::array: return open_array(value);
    case json::value_t::object: return write_object(value);
    case json::value_t::binary:
      return !is_new(value) || check(write_binary(out_, value.get_binary()));
    case json::value_t::discarded: return fail("a value was discarded by a parser callback");
  }
  return true;
}

bool V8Writing::write_object(const json& value) {
  const V8Meaning meaning = meaning_of(members_of(value));
  switch (meaning) {
    case V8Meaning::plain:
      // The reader marks such an object as plain, which takes a level.
      if (looks_tagged(members_of(value)) && is_too_deep(2)) return false;
      return open_members(value, value, false);
    case V8Meaning::escape: return open_members(value, *value.begin(), true);
    case V8Meaning::array: return open_tagged_array(value);
    case V8Meaning::map: return open_list(value, V8Container::map, Tag::map);
    case V8Meaning::set: return open_list(value, V8Container::set, Tag::set);
    case V8Meaning::error: return open_error(value);
    case V8Meaning::reference: return write_reference(value);
    case V8Meaning::bigint:
    case V8Meaning::number:
    case V8Meaning::undefined:
      return !is_too_deep(1) && check(write_leaf(out_, meaning, members_of(value)));
    case V8Meaning::binary:
    case V8Meaning::boxed:
    case V8Meaning::date:
    case V8Meaning::regexp:
    case V8Meaning::resizable: return write_leaf_object(value, meaning);
  }
  return true;
}

bool V8Writing::write_leaf_object(const json& value, V8Meaning meaning) {
  if (is_too_deep(levels_of_leaf(value))) return false;
  return !is_new(value) || check(write_leaf(out_, meaning, members_of(value)));
}

// Writes the object that a reference names, or its number if it has been written. Members are sorted,
// so a reference may come before the object, which is then written here.
//
// The frames do not tell what a reference is in: if it is in an object that is written here, they are
// those around the other reference.
bool V8Writing::write_reference(const json& reference) {
  if (is_too_deep(1)) return false;
  written_.expect_references();
  if (references_.empty()) references_.find(*root_);
  const json* const target = references_.target(reference).value_or(nullptr);
  if (target == nullptr) return fail("a $ref that names nothing");
  // Many references may name a large Map, and it takes long to see that it is one.
  if (const auto number = written_.find(*target)) {
    put_reference(*number);
    return true;
  }
  if (!can_be_referred_to(*target)) return fail("a $ref that names no object");
  return write_value(*target);
}

void V8Writing::put_reference(std::size_t number) {
  out_.tag(Tag::reference, std::uint64_t{objects_ + number});
}

bool V8Writing::open(const json& value, V8Container container, std::size_t levels) {
  if (is_too_deep(levels) || !is_new(value)) return false;
  Frame frame;
  frame.step.container = container;
  frame.depth = depth() + levels;
  frames_.push_back(frame);
  return true;
}

bool V8Writing::open_members(const json& value, const json& members, bool is_tagged) {
  if (!open(value, V8Container::object, is_tagged ? 2 : 1)) return !problem_;
  Frame& frame = frames_.back();
  frame.step.is_tagged = is_tagged;
  frame.member = members_of(members).begin();
  frame.end = members_of(members).end();
  out_.tag(Tag::object);
  return true;
}

bool V8Writing::open_array(const json& value) {
  if (!open(value, V8Container::array, 1)) return !problem_;
  frames_.back().list = value.get_ptr<const json::array_t*>();
  out_.tag(Tag::dense_array, std::uint64_t{value.size()});
  return true;
}

bool V8Writing::open_tagged_array(const json& value) {
  const auto length = value.at(v8::length_key).get<std::uint64_t>();
  if (length > UINT32_MAX) return fail("an array has a length below 2^32");
  if (!open(value, V8Container::array, 2)) return !problem_;
  const json::object_t& members = members_of(*value.begin());
  Frame& frame = frames_.back();
  frame.step.is_tagged = true;
  frame.length = length;
  frame.member = members.begin();
  frame.end = members.end();
  out_.tag(Tag::sparse_array, length);
  return true;
}

bool V8Writing::open_list(const json& value, V8Container container, Tag tag) {
  const json& list = *value.begin();
  const bool has_pairs = container == V8Container::map && !list.empty();
  if (!open(value, container, has_pairs ? 3 : 2)) return !problem_;
  frames_.back().list = list.get_ptr<const json::array_t*>();
  out_.tag(tag);
  return true;
}

// Writes the stack before the cause: Node 22 and newer refuse the other order, older ones read
// both.
bool V8Writing::open_error(const json& value) {
  if (!open(value, V8Container::error, 1)) return !problem_;
  Frame& frame = frames_.back();
  frame.member = members_of(value).begin();
  frame.end = members_of(value).end();
  out_.tag(Tag::error);
  if (const char letter = letter_of(frame.member->second)) out_.byte(letter);
  for (const auto& [key, part] : {std::pair(v8::message_key, v8::ErrorPart::message),
                                  std::pair(v8::stack_key, v8::ErrorPart::stack)}) {
    const auto text = value.find(key);
    if (text == value.end()) continue;
    out_.byte(static_cast<char>(part));
    const char* const problem = write_text(out_, text->get_ref<const std::string&>());
    if (problem != nullptr) return fail_container(problem);
  }
  return true;
}

const json* V8Writing::next_value() {
  while (!frames_.empty()) {
    if (const json* const value = next_in(frames_.back())) return value;
    if (problem_) return nullptr;
    end(frames_.back());
    frames_.pop_back();
  }
  return nullptr;
}

const json* V8Writing::next_in(Frame& frame) {
  switch (frame.step.container) {
    case V8Container::object: return next_member(frame);
    case V8Container::array: return frame.step.is_tagged ? next_member(frame) : next_in_list(frame);
    case V8Container::map: return next_in_map(frame);
    case V8Container::set: return next_in_list(frame);
    case V8Container::error: return next_in_error(frame);
  }
  return nullptr;
}

const json* V8Writing::next_member(Frame& frame) {
  if (frame.member == frame.end) return nullptr;
  const auto& [key, value] = *frame.member++;
  const bool is_in_array = frame.step.container == V8Container::array;
  const auto index = is_in_array ? array_index(key) : std::nullopt;
  if (index && *index >= frame.length) {
    fail_container("an array has no element behind its end");
    return nullptr;
  }
  if (write_text(out_, key) != nullptr) {
    fail_container("a key is not valid UTF-8");
    return nullptr;
  }
  ++frame.count;
  frame.step.key = &key;
  return &value;
}

const json* V8Writing::next_in_list(Frame& frame) {
  while (frame.count < frame.list->size()) {
    const json& value = (*frame.list)[frame.count];
    frame.step.index = frame.count++;
    if (!value.is_number()) return &value;
    if (!check(write_number(out_, value))) return nullptr;
  }
  return nullptr;
}

const json* V8Writing::next_in_map(Frame& frame) {
  const std::size_t index = frame.count / 2;
  if (index == frame.list->size()) return nullptr;
  frame.step.index = frame.count++;
  return &(*frame.list)[index][frame.step.index % 2];
}

const json* V8Writing::next_in_error(Frame& frame) {
  while (frame.member != frame.end) {
    const auto& [key, value] = *frame.member++;
    if (key != v8::cause_key) continue;
    out_.byte(static_cast<char>(v8::ErrorPart::cause));
    return &value;
  }
  return nullptr;
}

void V8Writing::end(const Frame& frame) {
  switch (frame.step.container) {
    case V8Container::object: return out_.tag(Tag::end_of_object, std::uint64_t{frame.count});
    case V8Container::array:
      if (frame.step.is_tagged) {
        out_.tag(Tag::end_of_sparse_array, std::uint64_t{frame.count});
        return out_.varint(frame.length);
      }
      out_.tag(Tag::end_of_dense_array, std::uint64_t{0});
      return out_.varint(frame.count);
    case V8Container::map: return out_.tag(Tag::end_of_map, std::uint64_t{frame.count});
    case V8Container::set: return out_.tag(Tag::end_of_set, std::uint64_t{frame.count});
    case V8Container::error: return out_.byte(static_cast<char>(v8::ErrorPart::end));
  }
}

bool V8Writing::is_too_deep(std::size_t levels) {
  if (depth() + levels <= max_depth_) return false;
  fail("nested more than " + std::to_string(max_depth_) + " deep");
  return true;
}

bool V8Writing::is_new(const json& value) {
  if (const auto number = written_.find(value)) {
    if (!is_too_deep(1)) put_reference(*number);
    return false;
  }
  written_.add(value);
  return true;
}

bool V8Writing::fail(std::string_view reason, std::size_t steps) {
  if (problem_) return false;
  std::string pointer;
  for (std::size_t i = 0; i < steps; ++i) append_step(pointer, frames_[i].step);
  problem_ = std::string(reason) + at_pointer(pointer);
  return false;
}

}  // namespace tine::wire
