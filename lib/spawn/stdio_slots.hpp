#pragma once

#include <optional>
#include <vector>

#include "base/descriptor.hpp"

namespace tine::spawn {

// The descriptors for SubprocessOptions::stdio, each open in this process. The null device is
// opened here, so that the code that places the descriptors can treat it like the others.
class StdioSlots {
 public:
  // Throws SpawnError.
  explicit StdioSlots(const std::vector<int>& stdio);

  std::vector<int>& slots() { return slots_; }

 private:
  std::vector<int> slots_;
  std::optional<base::Descriptor> null_;
};

}  // namespace tine::spawn
