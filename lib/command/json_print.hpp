#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace tine::command {

struct PrintStyle {
  bool pretty = false;  // over several lines
  bool color = false;
};

// A message as people read it, without a line feed at the end.
std::string print_json(const nlohmann::ordered_json& value, const PrintStyle& style);

// Whether to use colours: always, never, or auto, when `fd` is a terminal that is not dumb and NO_COLOR
// is not set.
bool use_color(std::string_view when, int fd);

}  // namespace tine::command
