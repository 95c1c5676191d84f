#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "wire/codec.hpp"
#include "wire/json_reader.hpp"
#include "wire/v8_reader.hpp"
#include "wire/v8_writer.hpp"

namespace tine::wire {

// Node's serialization "advanced": each message is a value in V8's format, behind its length.
// docs/advanced.md has the JSON value that each JavaScript value becomes.
class Advanced final : public Codec {
 public:
  explicit Advanced(std::size_t max_depth);

  const Framing& framing() const override { return framing_; }

  // Leaves out the members of internal messages that are undefined, as JSON does.
  Read read(std::string_view content, nlohmann::json& value) override;
  // Looks for `NODE_` in both forms of V8's strings: one byte or two bytes a character.
  bool may_be_internal(std::string_view content) const override;
  bool content_is_text() const override { return false; }
  std::string_view text(std::string_view content, const nlohmann::json* value) override;

  std::optional<std::string> write(base::ValueRef message, From from, const AnnouncedHandle* handle,
                                   base::ByteBuffer& out) override;
  std::optional<BadMessage> write_text(std::string_view json, From from,
                                       const AnnouncedHandle* handle,
                                       base::ByteBuffer& out) override;
  std::string_view answer(Answer answer) const override;

 private:
  std::optional<std::string> write_value(const nlohmann::json& message,
                                         const AnnouncedHandle* handle, base::ByteBuffer& out);
  std::optional<std::string> announce(const nlohmann::json& message, const AnnouncedHandle& handle,
                                      base::ByteBuffer& out);

  V8Framing framing_;
  V8Reader reader_;
  V8Writer writer_;
  JsonReader text_reader_;
  nlohmann::json text_value_;  // of a text that is written, or of a message that is traced
  base::ByteBuffer text_input_;
  std::string text_;
};

}  // namespace tine::wire
