#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/recent_need.hpp"
#include "wire/bad_message.hpp"
#include "wire/json_reader.hpp"

namespace tine::wire {

class V8Reading;

// A reader of values in V8's format, as Node writes them with `serialization: 'advanced'`.
//
// docs/advanced.md tells which value each JavaScript value becomes. As JsonReader does, it reads
// each value over the one before it, so that similar messages are read without allocating. It does
// not recurse, and allocates no more than a constant multiple of what it has read.
class V8Reader {
 public:
  // `max_depth` counts the arrays and objects of the value that is made. It is never more than
  // JsonReader::deepest.
  explicit V8Reader(std::size_t max_depth);
  ~V8Reader();

  // Reads the value of a message into `value`. Returns the error if there is none; `value` is then
  // left as some valid value. As in Node, what follows the value is ignored.
  std::optional<BadMessage> read(std::string_view message, nlohmann::json& value);

 private:
  std::size_t max_depth_;
  std::unique_ptr<V8Reading> reading_;
  std::size_t held_ = 0;  // the longest message whose memory may still be held
  base::RecentNeed need_;
};

}  // namespace tine::wire
