#include "wire/json_lines.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "wire/internal_message.hpp"
#include "wire/json_writer.hpp"

namespace tine::wire {

using nlohmann::json;

JsonLines::JsonLines(std::size_t max_depth)
    : max_depth_(std::min(max_depth, JsonReader::deepest)),
      reader_(max_depth),
      checker_(max_depth) {}

// --- reading

void JsonLines::read_ahead(FrameDecoder& arrived) {
  // How many bytes are parsed together: more would not stay in the processor's cache.
  constexpr std::size_t most_ahead = std::size_t{64} << 10;
  reader_.expect(arrived.ahead(most_ahead));
}

void JsonLines::stop_reading_ahead() { reader_.expect({}); }

// A line with Bun's mark belongs to its cluster, even if it has no command.
Codec::Read JsonLines::read(std::string_view content, json& value) {
  const bool marked = content.starts_with(bun_mark);
  Read read{.bad = reader_.read(marked ? content.substr(1) : content, value)};
  if (read.bad || !may_be_internal(content)) return read;
  read.command = internal_command(value);
  if (!marked) return read;
  peer_is_bun_ = true;
  if (!read.command.empty()) return read;
  if (value.is_object()) value["cmd"] = cluster_command;
  read.command = cluster_command;
  return read;
}

bool JsonLines::may_be_internal(std::string_view content) const {
  return content.starts_with(bun_mark) || content.find(internal_prefix) != content.npos ||
         content.find("\\u") != content.npos;
}

// --- writing

std::optional<std::string> JsonLines::write(base::ValueRef message, From from,
                                            const AnnouncedHandle* handle, base::ByteBuffer& out) {
  begin_line(from, handle, out);
  if (auto problem = write_json(message, max_depth_, out)) return problem;
  if (handle != nullptr) {
    if (auto problem = announce(*handle, out)) return problem;
  }
  out.push_back('\n');
  return std::nullopt;
}

// The text is checked after it is copied to its place: there the parser may read past its end.
std::optional<BadMessage> JsonLines::write_text(std::string_view text, From from,
                                                const AnnouncedHandle* handle,
                                                base::ByteBuffer& out) {
  begin_line(from, handle, out);
  const std::size_t begin = out.size();
  out.append(text);
  if (auto bad = checker_.check(out.view().substr(begin))) return bad;
  if (const auto feed = text.find('\n'); feed != text.npos) {
    return bad_message(text, feed, "a line feed, which ends a message");
  }
  if (handle != nullptr) {
    if (const auto problem = announce(*handle, out)) {
      return bad_message(text, text.size(), *problem);
    }
  }
  out.push_back('\n');
  return std::nullopt;
}

void JsonLines::begin_line(From from, const AnnouncedHandle* handle, base::ByteBuffer& out) const {
  if (handle != nullptr) {
    out.append(R"({"cmd":"NODE_HANDLE","type":")");
    out.append(handle->type);
    out.append(R"(","msg":)");
  } else if (from == From::channel && peer_is_bun_) {
    out.push_back(bun_mark);
  }
}

// Writes the members that follow the message, and ends the object that it is in.
std::optional<std::string> JsonLines::announce(const AnnouncedHandle& handle,
                                               base::ByteBuffer& out) const {
  for (const auto& [name, value] : handle.members.items()) {
    out.append(",\"");
    out.append(name);
    out.append("\":");
    if (auto problem = write_json(value, max_depth_, out)) return problem;
  }
  out.push_back('}');
  return std::nullopt;
}

std::string_view JsonLines::answer(Answer answer) const {
  return answer == Answer::ack ? "{\"cmd\":\"NODE_HANDLE_ACK\"}\n"
                               : "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";
}

}  // namespace tine::wire
