#pragma once

#include <filesystem>
#include <stdexcept>
#include <vector>

#include <nlohmann/json.hpp>

#include "tine/supervisor.hpp"

namespace tine::command {

// What a file for `tine supervise` says.
struct Supervision {
  SupervisorOptions options;
  std::vector<ChildSpec> children;
};

// The file says something that it may not. The text names the member, with its place.
struct BadFile : std::runtime_error {
  using runtime_error::runtime_error;
};

// Paths in the file are relative to `folder`. Throws BadFile.
Supervision read_supervision(const nlohmann::json& file, const std::filesystem::path& folder);

}  // namespace tine::command
