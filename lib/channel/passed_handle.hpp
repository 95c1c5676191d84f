#pragma once

#include <functional>
#include <string>
#include <vector>

#include "uv/descriptor.hpp"

namespace tine::channel {

// What travels beside a message: descriptors, and what the line says of them.
struct PassedHandle {
  // Descriptors that only tine understands, any number of any kind.
  static constexpr const char* descriptors_type = "tine.Descriptors";

  std::string type;          // "net.Socket" and the like, as Node has it
  std::string members = {};  // further members of the line, as JSON text: `,"key":"4:127.0.0.1:80"`
  std::vector<uv::Descriptor> descriptors = {};
  std::function<void()> taken = {};  // called when send() has taken it
  // Called on a later turn instead of an error, if the descriptors were not delivered and never will be:
  // the peer refused them each time, or they could not be written.
  std::function<void()> refused = {};

  bool for_tine_only() const { return type == descriptors_type; }
};

}  // namespace tine::channel
