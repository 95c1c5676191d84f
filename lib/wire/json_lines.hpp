#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "wire/codec.hpp"
#include "wire/json_reader.hpp"

namespace tine::wire {

// Node's serialization "json": each message is one line of JSON text. FORMAT.md describes it.
class JsonLines final : public Codec {
 public:
  // Bun puts this byte in front of its cluster messages, some of which have no `cmd`.
  static constexpr char bun_mark = '\x02';

  explicit JsonLines(std::size_t max_depth);

  const Framing& framing() const override { return framing_; }

  void read_ahead(FrameDecoder& arrived) override;
  void stop_reading_ahead() override;
  Read read(std::string_view content, nlohmann::json& value) override;
  // Looks for Bun's mark, for `NODE_`, and for a `\u` escape, which could be part of `NODE_`.
  bool may_be_internal(std::string_view content) const override;
  bool content_is_text() const override { return true; }
  std::string_view text(std::string_view content, const nlohmann::json*) override {
    return content;
  }

  std::optional<std::string> write(base::ValueRef message, From from, const AnnouncedHandle* handle,
                                   base::ByteBuffer& out) override;
  std::optional<BadMessage> write_text(std::string_view text, From from,
                                       const AnnouncedHandle* handle,
                                       base::ByteBuffer& out) override;
  std::string_view answer(Answer answer) const override;

 private:
  void begin_line(From from, const AnnouncedHandle* handle, base::ByteBuffer& out) const;
  std::optional<std::string> announce(const AnnouncedHandle& handle, base::ByteBuffer& out) const;

  LineFraming framing_;
  std::size_t max_depth_;
  JsonReader reader_;
  JsonReader checker_;        // of texts to send, which may be sent while others are read ahead
  bool peer_is_bun_ = false;  // it accepts lines of the channel's own only with its mark
};

}  // namespace tine::wire
