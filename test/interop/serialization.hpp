// The serialization of the channels of a test, which TINE_TEST_SERIALIZATION names.
#pragma once

#include <cstdlib>
#include <string_view>

#include "tine/channel.hpp"

// Returns json if the variable is not set.
inline tine::Serialization serialization_of_test() {
  const char* const named = std::getenv("TINE_TEST_SERIALIZATION");
  const bool is_advanced = named != nullptr && std::string_view(named) == "advanced";
  return is_advanced ? tine::Serialization::advanced : tine::Serialization::json;
}
