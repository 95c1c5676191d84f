// A second codec, to test that a channel depends on none: CBOR values, each behind its length. Its
// messages are not JSON text and may contain every byte, line feeds included.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/length_framing.hpp"
#include "wire/codec.hpp"
#include "wire/internal_message.hpp"

class CborCodec final : public tine::wire::Codec {
 public:
  const tine::wire::Framing& framing() const override { return framing_; }

  Read read(std::string_view content, nlohmann::json& value) override {
    value = nlohmann::json::from_cbor(content.begin(), content.end(), true, false);
    if (!value.is_discarded()) return {.command = tine::wire::internal_command(value)};
    value = nullptr;
    return {.bad = tine::wire::bad_message(content, 0, "not CBOR")};
  }

  bool may_be_internal(std::string_view content) const override {
    return content.find(tine::wire::internal_prefix) != content.npos;
  }
  bool content_is_text() const override { return false; }

  std::string_view text(std::string_view content, const nlohmann::json* value) override {
    text_ = (value != nullptr ? *value : nlohmann::json::from_cbor(content)).dump();
    return text_;
  }

  std::optional<std::string> write(tine::base::ValueRef value, tine::wire::From,
                                   const tine::wire::AnnouncedHandle* handle,
                                   tine::base::ByteBuffer& out) override {
    const auto message =
        tine::base::visit([](const auto& form) { return nlohmann::json(form); }, value);
    try {
      static_cast<void>(message.dump());
    } catch (const nlohmann::json::type_error&) {
      return "a string is not valid UTF-8";
    }
    out.append(frame_of(handle == nullptr ? message : announcing(message, *handle)));
    return std::nullopt;
  }

  std::optional<tine::wire::BadMessage> write_text(std::string_view text, tine::wire::From from,
                                                   const tine::wire::AnnouncedHandle* handle,
                                                   tine::base::ByteBuffer& out) override {
    const auto message = nlohmann::json::parse(text, nullptr, false);
    if (message.is_discarded()) return tine::wire::bad_message(text, 0, "not JSON");
    write(message, from, handle, out);
    return std::nullopt;
  }

  std::string_view answer(tine::wire::Answer answer) const override {
    static const std::string ack = frame_of({{"cmd", "NODE_HANDLE_ACK"}});
    static const std::string nack = frame_of({{"cmd", "NODE_HANDLE_NACK"}});
    return answer == tine::wire::Answer::ack ? ack : nack;
  }

 private:
  static std::string frame_of(const nlohmann::json& value) {
    const std::vector<std::uint8_t> bytes = nlohmann::json::to_cbor(value);
    return length_frame(std::string(bytes.begin(), bytes.end()));
  }

  static nlohmann::json announcing(const nlohmann::json& message,
                                   const tine::wire::AnnouncedHandle& handle) {
    nlohmann::json frame{{"cmd", "NODE_HANDLE"}, {"type", handle.type}, {"msg", message}};
    for (const auto& [name, value] : handle.members.items()) frame[name] = value;
    return frame;
  }

  LengthFraming framing_;
  std::string text_;
};
