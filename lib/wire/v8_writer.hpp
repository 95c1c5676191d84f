#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/byte_buffer.hpp"
#include "base/recent_need.hpp"

namespace tine::wire {

class V8Writing;

// A writer of values in V8's format, version 15, which all Nodes from 18 on read. A plain value
// becomes what structuredClone() of it would be. docs/advanced.md has the objects that stand for
// other values of JavaScript.
//
// Neither does it recurse, nor does it allocate for each value.
class V8Writer {
 public:
  // `max_depth` counts as that of V8Reader does.
  explicit V8Writer(std::size_t max_depth);
  ~V8Writer();

  // Appends a value to `out`. If it cannot be written, returns the reason, with the path to what is
  // wrong, and appends nothing. Reasons are text that is not valid UTF-8, a discarded value, nesting
  // deeper than max_depth, and an object that stands for a value that JavaScript does not have.
  std::optional<std::string> write(const nlohmann::json& value, base::ByteBuffer& out);

  // Does the same without the header, for a value within a message in which `objects` objects have
  // begun before it.
  std::optional<std::string> write_part(const nlohmann::json& value, std::size_t objects,
                                        base::ByteBuffer& out);

 private:
  V8Writing& writing();

  std::size_t max_depth_;
  std::unique_ptr<V8Writing> writing_;
  base::RecentNeed need_;
};

}  // namespace tine::wire
