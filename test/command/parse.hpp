#pragma once

#include <optional>
#include <string>

#include "command/script/transcript.hpp"

// Parses a transcript in which ${HOME_OF_TEST} is "/home/test" and no other variable is set.
inline tine::command::Transcript parse(const std::string& text) {
  return tine::command::parse_transcript(text, [](const std::string& name) {
    return name == "HOME_OF_TEST" ? std::optional<std::string>("/home/test") : std::nullopt;
  });
}
