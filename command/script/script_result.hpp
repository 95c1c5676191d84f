#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "command/script/cursor.hpp"

namespace tine::command {

// Why a step failed.
struct Failure {
  std::size_t line = 0;
  std::string step;  // as the transcript has it
  std::string expected;
  std::string came;
  std::vector<std::string> diff;
  std::vector<std::string> last_messages;
};

// The result of a transcript.
struct ScriptResult {
  std::string file;
  std::chrono::milliseconds time{};
  std::optional<Failure> failure;
  std::optional<TranscriptError> unreadable;
  std::optional<std::string> updated;  // the new text of the file
};

}  // namespace tine::command
