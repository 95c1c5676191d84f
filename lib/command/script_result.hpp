#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "command/cursor.hpp"

namespace tine::command {

// Why a step is not as the transcript has it.
struct Failure {
  std::size_t line = 0;
  std::string step;  // as it is written
  std::string expected;
  std::string came;
  std::vector<std::string> diff;
  std::vector<std::string> last_messages;
};

// What became of a transcript.
struct ScriptResult {
  std::string file;
  std::chrono::milliseconds time{};
  std::optional<Failure> failure;
  std::optional<TranscriptError> unreadable;
  std::optional<std::string> updated;  // the text it is to have from now on
};

}  // namespace tine::command
