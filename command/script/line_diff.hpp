#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tine::command {

// Returns the lines of both texts, each after "- " (only in `expected`), "+ " (only in `came`) or
// "  " (in both).
std::vector<std::string> line_diff(std::string_view expected, std::string_view came);

}  // namespace tine::command
