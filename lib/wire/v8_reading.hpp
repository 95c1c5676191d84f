#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "wire/bad_message.hpp"
#include "wire/v8_format.hpp"
#include "wire/v8_input.hpp"
#include "wire/v8_members.hpp"
#include "wire/v8_path.hpp"
#include "wire/v8_places.hpp"

namespace tine::wire {

// The reading of messages, one after the other. Keeps its memory from one to the next.
//
// A container that has begun and not ended is a frame. A loop reads a value into a slot, then asks
// the innermost frame for the slot of the next value. So nested values take no stack.
class V8Reading {
 public:
  explicit V8Reading(std::size_t max_depth) : max_depth_(max_depth) {}

  std::optional<BadMessage> read(std::string_view message, nlohmann::json& value);

 private:
  struct Frame {
    nlohmann::json* value;   // the container
    nlohmann::json* list;    // where its values are: `value`, or a part of it if `value` is tagged
    V8Step step;             // to the value that is being read
    std::size_t number;      // by which references name the container
    std::size_t offset;      // where its bytes begin
    std::size_t depth;       // how many arrays and objects are around its values
    std::size_t deepest;     // the deepest that they are nested, so far
    std::size_t count;       // of values, so far
    std::size_t properties;  // of values that have a key, so far
    std::size_t length;      // of an array
    bool is_dense;           // of an array: elements come without keys
    V8Members::Object object;  // if it is an object
  };

  bool read_header();
  bool read_value(nlohmann::json& slot);
  bool read_text(v8::Tag tag, nlohmann::json& slot);
  bool read_leaf_value(v8::Tag tag, nlohmann::json& slot);
  bool read_reference(nlohmann::json& slot);
  bool read_host_object(nlohmann::json& slot);
  std::optional<std::string_view> read_key();
  bool resolve_references(std::size_t size, nlohmann::json& value);

  // Begin a container, and return false if they cannot.
  bool open(V8Container container, std::size_t levels, nlohmann::json& slot);
  bool open_object(nlohmann::json& slot);
  bool open_array(v8::Tag tag, nlohmann::json& slot);
  bool open_collection(v8::Tag tag, nlohmann::json& slot);
  bool open_error(nlohmann::json& slot);

  // Return the slot of the next value. Null: there is none, because the container has ended, or
  // because of an error.
  nlohmann::json* next_slot();
  nlohmann::json* next_in(Frame& frame);
  nlohmann::json* next_member(Frame& frame);
  nlohmann::json* next_in_dense(Frame& frame);
  nlohmann::json* next_in_sparse(Frame& frame);
  nlohmann::json* next_in_map(Frame& frame);
  nlohmann::json* next_in_set(Frame& frame);
  nlohmann::json* next_in_error(Frame& frame);

  nlohmann::json* element(Frame& frame);
  nlohmann::json* property(Frame& frame, std::string_view key);
  nlohmann::json* property_of_array(Frame& frame);
  bool read_error_text(Frame& frame, const char* key);
  bool set_error_type(Frame& frame, char letter);
  nlohmann::json* end_array(Frame& frame);
  nlohmann::json* end_collection(Frame& frame);
  bool close(Frame& frame);
  bool escape(Frame& frame);
  bool make_tagged(Frame& frame);

  std::size_t depth() const { return frames_.empty() ? 0 : frames_.back().depth; }
  bool note_leaf(std::size_t levels);
  bool deepen(Frame& frame);
  std::string too_deep() const;
  std::size_t add_place(V8Container container = V8Container::object);

  // Notes where what is read next begins, for an error.
  void mark();
  // Record an error at the mark and return false: the first one of a value, the second one of the
  // container that the innermost frame is.
  bool fail(std::string_view reason) { return fail(reason, frames_.size()); }
  bool fail_container(std::string_view reason) { return fail(reason, frames_.size() - 1); }
  bool fail(std::string_view reason, std::size_t steps);

  std::size_t max_depth_;
  V8Input input_;
  std::size_t mark_ = 0;
  std::vector<Frame> frames_;
  V8Members members_;
  V8Places places_;
  std::string text_;             // a key that is no part of the input
  std::array<char, 24> digits_;  // a key that is a number
  std::optional<BadMessage> bad_;
};

}  // namespace tine::wire
