#include "wire/v8_reading.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>

#include "wire/v8_leaves.hpp"
#include "wire/v8_tags.hpp"
#include "wire/v8_text.hpp"

namespace tine::wire {

using nlohmann::json;
using v8::Tag;

std::optional<BadMessage> V8Reading::read(std::string_view message, json& value) {
  input_ = V8Input(message);
  frames_.clear();
  members_.clear();
  places_.clear();
  bad_.reset();
  if (read_header()) {
    json* slot = &value;
    while (slot != nullptr && read_value(*slot)) slot = next_slot();
  }
  if (!bad_ && input_.problem() != nullptr) fail(input_.problem());
  if (!bad_) resolve_references(message.size(), value);
  if (bad_) bad_->excerpt = excerpt(message, bad_->offset);
  return std::move(bad_);
}

bool V8Reading::read_header() {
  mark_ = 0;
  if (input_.byte() != v8::header) return fail("no header of V8's value format");
  const std::uint32_t version = input_.varint();
  if (version >= v8::oldest_version && version <= v8::newest_version) return true;
  return fail("version " + std::to_string(version) + " of V8's value format");
}

bool V8Reading::read_value(json& slot) {
  mark();
  Tag tag = input_.tag();
  for (; tag == Tag::object_count; tag = input_.tag()) input_.varint();
  switch (tag) {
    case Tag::latin1:
    case Tag::utf16:
    case Tag::utf8: return read_text(tag, slot);
    case Tag::int32: store_int32(input_.zigzag(), slot); return true;
    case Tag::uint32:
      store(slot, json::value_t::number_unsigned, std::uint64_t{input_.varint()});
      return true;
    case Tag::number: store_number(input_.number(), slot); return true;
    case Tag::true_value: store(slot, json::value_t::boolean, true); return true;
    case Tag::false_value: store(slot, json::value_t::boolean, false); return true;
    case Tag::null: slot = nullptr; return true;
    case Tag::object: return open_object(slot);
    case Tag::dense_array:
    case Tag::sparse_array: return open_array(tag, slot);
    case Tag::map:
    case Tag::set: return open_collection(tag, slot);
    case Tag::error: return open_error(slot);
    case Tag::reference: return read_reference(slot);
    case Tag::host_object: return read_host_object(slot);
    default: return read_leaf_value(tag, slot);
  }
}

bool V8Reading::read_text(Tag tag, json& slot) {
  if (!slot.is_string()) slot = json::string_t();
  const char* const problem = read_string(input_, tag, *slot.get_ptr<json::string_t*>());
  return problem == nullptr || fail(problem);
}

bool V8Reading::read_leaf_value(Tag tag, json& slot) {
  if (const char* const problem = read_leaf(input_, tag, slot)) return fail(problem);
  if (is_leaf_object(tag)) add_place();
  return note_leaf(levels_of_leaf(slot));
}

bool V8Reading::read_reference(json& slot) {
  const std::uint32_t number = input_.varint();
  if (number >= places_.size()) return fail("a reference to an object that has not come before");
  slot = json::object({{v8::reference_key, ""}});  // the pointer is known when all is read
  places_.add_reference(frames_.back().number, frames_.back().step, number, mark_);
  return note_leaf(1);
}

// An object that V8 left to Node: a view of bytes, or an object of the runtime's own, of which Node
// writes a copy that is a plain object.
bool V8Reading::read_host_object(json& slot) {
  const std::uint32_t kind = input_.varint();
  if (kind == static_cast<std::uint32_t>(v8::HostObject::view)) {
    add_place();
    const char* const problem = read_view(input_, slot);
    return problem == nullptr || fail(problem);
  }
  if (kind != static_cast<std::uint32_t>(v8::HostObject::plain) || !input_.take(Tag::object)) {
    return fail("an object of an unknown kind");
  }
  places_.set_copied(add_place());
  return open_object(slot);
}

std::optional<std::string_view> V8Reading::read_key() {
  const auto decimal = [this](std::int64_t number) {
    const char* const end = std::to_chars(digits_.begin(), digits_.end(), number).ptr;
    return std::string_view(digits_.data(), static_cast<std::size_t>(end - digits_.data()));
  };
  const Tag tag = input_.tag();
  if (is_string(tag)) {
    std::string_view key;
    const char* const problem = read_string(input_, tag, text_, key);
    if (problem == nullptr) return key;
    fail_container(problem);
    return std::nullopt;
  }
  if (tag == Tag::int32) return decimal(input_.zigzag());
  if (tag == Tag::uint32) return decimal(input_.varint());
  const double number = tag == Tag::number ? input_.number() : std::nan("");
  if (std::trunc(number) == number && std::abs(number) <= double{v8::max_safe_integer}) {
    return decimal(static_cast<std::int64_t>(number));
  }
  fail_container("a key that is neither a string nor an integer");
  return std::nullopt;
}

// Pointers of references can be many times as long as the message. A list of a thousand objects that
// each name the one before needs a few megabytes.
bool V8Reading::resolve_references(std::size_t size, json& value) {
  constexpr std::size_t always_allowed = std::size_t{4} << 20;
  constexpr std::size_t times_message = 16;
  if (!places_.has_references()) return true;
  const auto offset = places_.resolve(value, always_allowed + times_message * size);
  if (!offset) return true;
  mark_ = *offset;
  return fail("too many references to objects that are nested deep");
}

json* V8Reading::next_slot() {
  while (!frames_.empty()) {
    if (json* const slot = next_in(frames_.back())) return slot;
    if (bad_ || !close(frames_.back())) return nullptr;
  }
  return nullptr;
}

bool V8Reading::open(V8Container container, std::size_t levels, json& slot) {
  const std::size_t inner = depth() + levels;
  if (inner > max_depth_) return fail(too_deep());
  V8Step step;
  step.container = container;
  const std::size_t number = add_place(container);
  frames_.push_back({&slot, &slot, step, number, mark_, inner, inner, 0, 0, 0, false, {}});
  return true;
}

bool V8Reading::note_leaf(std::size_t levels) {
  const std::size_t inner = depth() + levels;
  if (inner > max_depth_) return fail(too_deep());
  if (!frames_.empty()) frames_.back().deepest = std::max(frames_.back().deepest, inner);
  return true;
}

// Counts one more array or object around the values of a container.
bool V8Reading::deepen(Frame& frame) {
  ++frame.depth;
  ++frame.deepest;
  if (frame.deepest <= max_depth_) return true;
  mark_ = frame.offset;
  return fail_container(too_deep());
}

std::string V8Reading::too_deep() const {
  return "nested more than " + std::to_string(max_depth_) + " deep";
}

std::size_t V8Reading::add_place(V8Container container) {
  if (frames_.empty()) return places_.add(V8Places::none, {}, container);
  return places_.add(frames_.back().number, frames_.back().step, container);
}

void V8Reading::mark() {
  input_.peek();
  mark_ = input_.offset();
}

bool V8Reading::fail(std::string_view reason, std::size_t steps) {
  if (bad_) return false;
  std::string pointer;
  for (std::size_t i = 0; i < steps; ++i) append_step(pointer, frames_[i].step);
  const bool ended = input_.problem() != nullptr;
  bad_ = BadMessage{ended ? input_.problem_offset() : mark_,
                    (ended ? input_.problem() : std::string(reason)) + at_pointer(pointer),
                    {}};
  return false;
}

}  // namespace tine::wire
