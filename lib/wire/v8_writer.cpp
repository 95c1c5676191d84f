#include "wire/v8_writer.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "wire/json_reader.hpp"
#include "wire/v8_writing.hpp"

namespace tine::wire {

V8Writer::V8Writer(std::size_t max_depth) : max_depth_(std::min(max_depth, JsonReader::deepest)) {}
V8Writer::~V8Writer() = default;

std::optional<std::string> V8Writer::write(const nlohmann::json& value, base::ByteBuffer& out) {
  return writing().write(value, out);
}

std::optional<std::string> V8Writer::write_part(const nlohmann::json& value, std::size_t objects,
                                                base::ByteBuffer& out) {
  return writing().write_part(value, objects, out);
}

V8Writing& V8Writer::writing() {
  if (writing_ && need_.outgrown(writing_->needed(), writing_->held())) writing_.reset();
  if (!writing_) writing_ = std::make_unique<V8Writing>(max_depth_);
  return *writing_;
}

}  // namespace tine::wire
