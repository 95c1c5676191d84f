#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace tine::command {

struct PrintStyle {
  bool pretty = false;  // on several lines
  bool color = false;
};

// Formats a message for people, without a line feed at the end.
std::string print_json(const nlohmann::ordered_json& value, const PrintStyle& style);

// Whether to use colours. `when` is "always", "never" or "auto": with "auto", `fd` must be a
// terminal, TERM set and not "dumb", and NO_COLOR not set.
bool use_color(std::string_view when, int fd);

}  // namespace tine::command
