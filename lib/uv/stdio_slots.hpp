#pragma once

#include <optional>
#include <vector>

#include "uv/descriptor.hpp"

namespace tine::uv {

// The descriptors of SubprocessOptions::stdio, each one of ours. The null device is opened here, so that
// to who places them it is one like the others.
class StdioSlots {
 public:
  // Throws SpawnError.
  explicit StdioSlots(const std::vector<int>& stdio);

  std::vector<int>& slots() { return slots_; }

 private:
  std::vector<int> slots_;
  std::optional<Descriptor> null_;
};

}  // namespace tine::uv
