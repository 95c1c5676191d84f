#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tine::command {

// Returns the name of a signal: "SIGTERM" for 15. A signal without a name, as the real-time signals
// are, is called by its number: "SIG35".
std::string signal_name(int signal);
std::optional<int> signal_number(std::string_view name);

}  // namespace tine::command
