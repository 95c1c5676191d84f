#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/byte_buffer.hpp"
#include "base/value_ref.hpp"
#include "wire/bad_message.hpp"
#include "wire/frame_decoder.hpp"
#include "wire/framing.hpp"

namespace tine::wire {

// Whose message it is: the user's, or the channel's own.
enum class From { user, channel };

// The answer to a handle of the peer: whether it has arrived.
enum class Answer { ack, nack };

// What a frame says about the descriptors beside it.
struct AnnouncedHandle {
  std::string_view type;          // "net.Socket" and the like
  const nlohmann::json& members;  // further members of the frame, texts and numbers; or null
};

// A serialization: it makes frames of messages, and messages of frames.
//
// Each end of a channel has a codec of its own, for both directions: a codec may remember what the
// peer understands. Its functions are called once for a message, never for a byte.
class Codec {
 public:
  Codec() = default;
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;
  virtual ~Codec() = default;

  // Returns how both directions are cut into frames. It lives as long as the codec.
  virtual const Framing& framing() const = 0;

  // --- reading. `content` is that of a frame. Except in text(), `base::padding` bytes behind it are
  // readable.

  // Announces that read() will be called for the frames of `arrived`, in order, so that they may be
  // read together. They stay in place until stop_reading_ahead().
  virtual void read_ahead(FrameDecoder&) {}
  virtual void stop_reading_ahead() {}

  struct Read {
    std::optional<BadMessage> bad = {};
    std::string_view command = {};  // of an internal message, as long as `value` is not changed
  };
  // Reads a message over `value`, which is some valid value if the message is bad.
  virtual Read read(std::string_view content, nlohmann::json& value) = 0;

  // Returns whether a message could be internal, so that it must be read even if nobody takes its
  // value.
  virtual bool may_be_internal(std::string_view content) const = 0;

  // Returns whether each message is a JSON text, which listeners for text get without reading it.
  // Otherwise messages are read for them too.
  virtual bool content_is_text() const = 0;

  // Returns the JSON text of a message: the content itself, if that is text. Otherwise it is valid
  // until the next call. `value` is that of the message, or null if it is not at hand.
  virtual std::string_view text(std::string_view content, const nlohmann::json* value) = 0;

  // --- writing

  // Append a message as one whole frame to `out`. If `handle` is not null, the frame announces it.
  // If the message cannot be written, they return the reason; what they have appended is of no use
  // then.
  virtual std::optional<std::string> write(base::ValueRef message, From from,
                                           const AnnouncedHandle* handle,
                                           base::ByteBuffer& out) = 0;
  virtual std::optional<BadMessage> write_text(std::string_view json, From from,
                                               const AnnouncedHandle* handle,
                                               base::ByteBuffer& out) = 0;

  // Returns the whole frame of an answer.
  virtual std::string_view answer(Answer answer) const = 0;
};

}  // namespace tine::wire
