#include "wire/advanced.hpp"

#include <array>

#include "wire/internal_message.hpp"

namespace tine::wire {

using nlohmann::json;

namespace {

// `NODE_` as V8 writes it in a string that also has characters beyond Latin-1.
constexpr std::string_view wide_prefix("N\0O\0D\0E\0_\0", 10);

// {cmd: 'NODE_HANDLE_ACK'} and {cmd: 'NODE_HANDLE_NACK'}.
constexpr std::string_view ack("\0\0\0\x1B\xFF\x0Fo\"\3cmd\"\x0FNODE_HANDLE_ACK{\1", 31);
constexpr std::string_view nack("\0\0\0\x1C\xFF\x0Fo\"\3cmd\"\x10NODE_HANDLE_NACK{\1", 32);

json announcement(const json& message, const AnnouncedHandle& handle) {
  json line = {{"cmd", handle_command}, {"type", handle.type}, {"msg", message}};
  if (handle.members.is_object()) line.update(handle.members);
  return line;
}

}  // namespace

Advanced::Advanced(std::size_t max_depth)
    : reader_(max_depth), writer_(max_depth), announcer_(max_depth + 1), text_reader_(max_depth) {}

// --- reading

Codec::Read Advanced::read(std::string_view content, json& value) {
  Read read{.bad = reader_.read(content, value)};
  if (!read.bad && may_be_internal(content)) read.command = internal_command(value);
  return read;
}

bool Advanced::may_be_internal(std::string_view content) const {
  return content.find(internal_prefix) != content.npos || content.find(wide_prefix) != content.npos;
}

// A bad message has no text. The reader needs padding behind its input, so it gets a copy.
std::string_view Advanced::text(std::string_view content, const json* value) {
  if (value == nullptr) {
    text_input_.truncate(0);
    text_input_.append(content);
    if (reader_.read(text_input_.view(), text_value_)) return {};
    value = &text_value_;
  }
  text_ = value->dump(-1, ' ', false, json::error_handler_t::replace);
  return text_;
}

// --- writing

std::optional<std::string> Advanced::write(const json& message, From, const AnnouncedHandle* handle,
                                           base::ByteBuffer& out) {
  const std::size_t begin = out.size();
  out.append(std::string_view("\0\0\0\0", V8Framing::length_size));
  auto problem = handle == nullptr ? writer_.write(message, out)
                                   : announcer_.write(announcement(message, *handle), out);
  if (problem) return problem;
  const std::size_t length = out.size() - begin - V8Framing::length_size;
  if (length > V8Framing::longest) return "its size, which is 2 GiB or more";
  const auto bytes = V8Framing::bytes_of(length);
  out.overwrite(begin, {bytes.data(), bytes.size()});
  return std::nullopt;
}

std::optional<BadMessage> Advanced::write_text(std::string_view text, From from,
                                               const AnnouncedHandle* handle,
                                               base::ByteBuffer& out) {
  text_input_.truncate(0);
  text_input_.append(text);
  if (auto bad = text_reader_.read(text_input_.view(), text_value_)) return bad;
  if (const auto problem = write(text_value_, from, handle, out)) {
    return bad_message(text, 0, *problem);
  }
  return std::nullopt;
}

std::string_view Advanced::answer(Answer answer) const {
  return answer == Answer::ack ? ack : nack;
}

}  // namespace tine::wire
