// A message as JSON text.
#pragma once

#include <string_view>

namespace tine {

// The JSON text of one message, for a program that has a JSON library of its own.
//
// In a "message" listener `json` is valid during the call. It is the line as it was received, not
// validated. With advanced serialization it is written from the value; docs/advanced.md tells how.
// send() validates the text and copies it before it returns.
//
// Node: none; there a message is always parsed.
struct Text {
  std::string_view json;
};

}  // namespace tine
