#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/descriptor.hpp"

namespace tine::channel {

// The descriptors that came beside a message.
struct ReceivedDescriptors {
  const nlohmann::json& line;  // has the "type" of the handle, and members that depend on it
  std::vector<base::Descriptor> descriptors;
};

// A message of the user's that came in. It is valid during one call, which may move from it.
struct ReceivedMessage {
  std::string_view text;                  // null if it would have to be written from the value
  nlohmann::json& value;                  // of this message only if values were wanted
  ReceivedDescriptors* beside = nullptr;  // null if there are none
};

// Returns the JSON text of a value that was received.
std::string text_of(const nlohmann::json& value);

}  // namespace tine::channel
