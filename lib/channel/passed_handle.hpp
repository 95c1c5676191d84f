#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/descriptor.hpp"

namespace tine::channel {

// The descriptors that travel beside a message, and what the line says about them.
struct PassedHandle {
  // The types of the handles that only tine understands: any number of descriptors of any kind; a
  // descriptor of shared memory.
  static constexpr const char* descriptors_type = "tine.Descriptors";
  static constexpr const char* shared_buffer_type = "tine.SharedBuffer";

  std::string type;             // "net.Socket" and the like, as in Node
  nlohmann::json members = {};  // further members of the frame: {"key": "4:127.0.0.1:80"}, or null
  std::vector<base::Descriptor> descriptors = {};
  std::size_t memory = 0;            // bytes that the descriptors keep in memory
  std::function<void()> taken = {};  // called once send() has accepted the handle
  // Called on a later turn, instead of an error, if the descriptors were not delivered and never
  // will be: the peer refused every attempt, or they could not be written.
  std::function<void()> refused = {};

  bool for_tine_only() const { return type == descriptors_type || type == shared_buffer_type; }
};

}  // namespace tine::channel
