#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "support/catch.hpp"
#include "wire/bad_message.hpp"
#include "wire/read_text.hpp"
#include "wire/v8_reader.hpp"
#include "wire/v8_writer.hpp"

// Returns the message that has this value in V8's format.
inline std::string v8_message(std::string_view value) { return "\xFF\x0F" + std::string(value); }

// Reads a message with a new reader, from memory that ends where the message does.
inline ReadResult read_v8(std::string_view message, std::size_t max_depth = default_depth) {
  const std::vector<char> exact(message.begin(), message.end());
  ReadResult result;
  result.bad = tine::wire::V8Reader(max_depth).read({exact.data(), exact.size()}, result.value);
  return result;
}

// Returns the value of a message, which must be good.
inline nlohmann::json v8_value(std::string_view value) {
  ReadResult result = read_v8(v8_message(value));
  CHECK((result.bad ? result.bad->text() : "") == "");
  return std::move(result.value);
}

// Returns a value in V8's format, without the header. It must be possible to write it.
inline std::string v8_bytes(const nlohmann::json& value, std::size_t max_depth = default_depth) {
  tine::base::ByteBuffer out;
  const auto problem = tine::wire::V8Writer(max_depth).write(value, out);
  CHECK(problem.value_or("") == "");
  return problem ? "" : std::string(out.view().substr(v8_message("").size()));
}

// Returns the reason why a value is not written. Checks that nothing is appended and that earlier
// output is kept.
inline std::string v8_problem(const nlohmann::json& value, std::size_t max_depth = default_depth) {
  tine::base::ByteBuffer out;
  out.append("earlier");
  const std::string problem = tine::wire::V8Writer(max_depth).write(value, out).value_or("");
  CHECK(out.view() == "earlier");
  return problem;
}
