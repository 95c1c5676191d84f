#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tine::command {

// The lines of both texts, each behind "- " (only in `expected`), "+ " (only in `came`) or "  ".
std::vector<std::string> line_diff(std::string_view expected, std::string_view came);

}  // namespace tine::command
