#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "wire/v8_format.hpp"
#include "wire/v8_output.hpp"
#include "wire/v8_path.hpp"
#include "wire/v8_references.hpp"
#include "wire/v8_tags.hpp"
#include "wire/v8_written.hpp"

namespace tine::wire {

// The writing of values, one after the other. Keeps its memory from one to the next.
//
// A container that has begun and not ended is a frame. So nested values take no stack.
class V8Writing {
 public:
  explicit V8Writing(std::size_t max_depth) : max_depth_(max_depth) {}

  // See V8Writer.
  std::optional<std::string> write(const nlohmann::json& root, base::ByteBuffer& out);
  std::optional<std::string> write_part(const nlohmann::json& root, std::size_t objects,
                                        base::ByteBuffer& out);

  // Bytes of memory that are held, and that the last value needed.
  std::size_t held() const { return written_.capacity() * sizeof(const nlohmann::json*); }
  std::size_t needed() const { return written_.size() * sizeof(const nlohmann::json*); }

 private:
  struct Frame {
    V8Step step;             // to the value that is being written
    std::size_t depth;       // how many arrays and objects are around the values
    std::size_t count = 0;   // of values, so far
    std::size_t length = 0;  // of a tagged array
    const nlohmann::json::array_t* list = nullptr;
    nlohmann::json::object_t::const_iterator member;
    nlohmann::json::object_t::const_iterator end;
  };

  std::optional<std::string> write_root(const nlohmann::json& root, std::size_t objects);
  bool write_value(const nlohmann::json& value);
  bool write_object(const nlohmann::json& value);
  bool write_leaf_object(const nlohmann::json& value, V8Meaning meaning);
  bool write_reference(const nlohmann::json& reference);
  void put_reference(std::size_t number);

  // Begin a container; false if it cannot be written.
  bool open(const nlohmann::json& value, V8Container container, std::size_t levels);
  bool open_members(const nlohmann::json& value, const nlohmann::json& members, bool is_tagged);
  bool open_array(const nlohmann::json& value);
  bool open_tagged_array(const nlohmann::json& value);
  bool open_list(const nlohmann::json& value, V8Container container, v8::Tag tag);
  bool open_error(const nlohmann::json& value);

  // Return the next value; null if the container has ended, or there is a problem.
  const nlohmann::json* next_value();
  const nlohmann::json* next_in(Frame& frame);
  const nlohmann::json* next_member(Frame& frame);
  const nlohmann::json* next_in_list(Frame& frame);
  const nlohmann::json* next_in_map(Frame& frame);
  const nlohmann::json* next_in_error(Frame& frame);
  void end(const Frame& frame);

  std::size_t depth() const { return frames_.empty() ? 0 : frames_.back().depth; }
  bool is_too_deep(std::size_t levels);
  // Records an object and returns true, unless it has been written before: then writes a reference.
  bool is_new(const nlohmann::json& value);

  bool check(const char* problem) { return problem == nullptr || fail(problem); }
  bool fail(std::string_view reason) { return fail(reason, frames_.size()); }
  bool fail_container(std::string_view reason) { return fail(reason, frames_.size() - 1); }
  bool fail(std::string_view reason, std::size_t steps);

  V8Output out_;
  std::size_t max_depth_;
  const nlohmann::json* root_ = nullptr;
  std::size_t objects_ = 0;  // of the message, before the root
  std::vector<Frame> frames_;
  V8Written written_;
  V8References references_;  // known from the first one on
  std::optional<std::string> problem_;
};

}  // namespace tine::wire
