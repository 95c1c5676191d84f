#include "wire/v8_reader.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "wire/v8_reading.hpp"

namespace tine::wire {

V8Reader::V8Reader(std::size_t max_depth)
    : max_depth_(std::clamp(max_depth, std::size_t{1}, JsonReader::deepest)) {}
V8Reader::~V8Reader() = default;

std::optional<BadMessage> V8Reader::read(std::string_view message, nlohmann::json& value) {
  if (need_.outgrown(message.size(), held_)) {
    value = nullptr;
    reading_.reset();
    held_ = 0;
  }
  held_ = std::max(held_, message.size());
  if (!reading_) reading_ = std::make_unique<V8Reading>(max_depth_);
  return reading_->read(message, value);
}

}  // namespace tine::wire
