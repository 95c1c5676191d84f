// Objects that JavaScript has in several places of a message.
//
// Includes json_fwd.hpp only. A program that uses JSON values includes <nlohmann/json.hpp> or
// <tine/tine.hpp>.
#pragma once

#include <cstddef>

#include "tine/detail/export.hpp"
#include "tine/detail/json.hpp"

namespace tine {

// How much expand_references() may copy. A short message can have an object in so many places that
// no memory is enough for all copies.
struct ExpandLimits {
  // The memory that the copies need, in bytes. It is estimated.
  std::size_t copied_bytes = std::size_t{64} << 20;

  // The deepest nesting of arrays and objects in the result, as in ChannelOptions. At most 10 000.
  std::size_t max_depth = 1000;
};

// Replaces each reference by a copy of the object that it names, so that a program can read the value
// without following references:
//
//   process.on<"message">([&](const nlohmann::json& message) {
//     const nlohmann::json points = tine::expand_references(message.at("points"));
//
// With advanced serialization, an object that JavaScript has in two places of a message is in the
// first of them, and {"$ref": "1/0"} is in the other one; docs/advanced.md tells what such a text
// means. A reference to an object that it is in, as in {"name": "circular", "self": {"$ref": "1"}},
// stays a reference. When the result is sent, the copies are objects of their own. A value without
// references is returned as it is.
//
// `part` is a message, or a part of one that has all in it that its references name. Throws Error
// with Errc::bad_message if a reference names nothing in it, or if a limit is exceeded.
//
// Node: none; there both places have the same object.
TINE_EXPORT nlohmann::json expand_references(nlohmann::json part, const ExpandLimits& limits = {});

}  // namespace tine
