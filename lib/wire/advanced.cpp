#include "wire/advanced.hpp"

#include <cstdint>
#include <iterator>
#include <type_traits>

#include "wire/internal_message.hpp"
#include "wire/v8_format.hpp"
#include "wire/v8_json.hpp"
#include "wire/v8_output.hpp"
#include "wire/v8_tags.hpp"

namespace tine::wire {

using nlohmann::json;

namespace {

// `NODE_` as V8 writes it in a string that also has characters beyond Latin-1.
constexpr std::string_view wide_prefix("N\0O\0D\0E\0_\0", 10);

// {cmd: 'NODE_HANDLE_ACK'} and {cmd: 'NODE_HANDLE_NACK'}.
constexpr std::string_view ack("\0\0\0\x1B\xFF\x0Fo\"\3cmd\"\x0FNODE_HANDLE_ACK{\1", 31);
constexpr std::string_view nack("\0\0\0\x1C\xFF\x0Fo\"\3cmd\"\x10NODE_HANDLE_NACK{\1", 32);

bool is_undefined(const json& value) {
  const auto* const object = value.get_ptr<const json::object_t*>();
  return object != nullptr && meaning_of(*object) == V8Meaning::undefined;
}

// Removes the members of an internal message that are undefined. In JSON they do not come, so
// nothing that reads internal messages needs to know of them. The message beside a handle stays as
// it is, unless it is internal too.
void drop_undefined(json& message) {
  json* one = &message;
  while (true) {
    const std::string_view command = internal_command(*one);
    if (command.empty()) return;
    auto& members = *one->get_ptr<json::object_t*>();
    const auto beside_handle = command == handle_command ? members.find("msg") : members.end();
    for (auto member = members.begin(); member != members.end();) {
      const bool absent = member != beside_handle && is_undefined(member->second);
      member = absent ? members.erase(member) : std::next(member);
    }
    if (beside_handle == members.end()) return;
    one = &beside_handle->second;
  }
}

}  // namespace

Advanced::Advanced(std::size_t max_depth)
    : reader_(max_depth), writer_(max_depth), text_reader_(max_depth) {}

// --- reading

Codec::Read Advanced::read(std::string_view content, json& value) {
  Read read{.bad = reader_.read(content, value)};
  if (read.bad || !may_be_internal(content)) return read;
  drop_undefined(value);
  read.command = internal_command(value);
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
  text_ = json_text(*value);
  return text_;
}

// --- writing

std::optional<std::string> Advanced::write(base::ValueRef message, From,
                                           const AnnouncedHandle* handle, base::ByteBuffer& out) {
  const auto write_form = [&]<class Form>(const Form& form) {
    if constexpr (std::is_same_v<Form, json>) {
      return write_value(form, handle, out);
    } else {
      return write_value(json(form), handle, out);
    }
  };
  return base::visit(write_form, message);
}

std::optional<std::string> Advanced::write_value(const json& message, const AnnouncedHandle* handle,
                                                 base::ByteBuffer& out) {
  const std::size_t begin = out.size();
  out.append(std::string_view("\0\0\0\0", V8Framing::length_size));
  auto problem = handle == nullptr ? writer_.write(message, out) : announce(message, *handle, out);
  if (problem) return problem;
  const std::size_t length = out.size() - begin - V8Framing::length_size;
  if (length > V8Framing::longest) return "its size, which is 2 GiB or more";
  const auto bytes = V8Framing::bytes_of(length);
  out.overwrite(begin, {bytes.data(), bytes.size()});
  return std::nullopt;
}

// Writes the object that has the message as a member. The message is not copied into it.
std::optional<std::string> Advanced::announce(const json& message, const AnnouncedHandle& handle,
                                              base::ByteBuffer& out) {
  constexpr std::size_t objects = 1;
  json members = {{"cmd", handle_command}, {"type", handle.type}};
  if (handle.members.is_object()) members.update(handle.members);
  V8Output frame(out);
  frame.byte(v8::header);
  frame.byte(v8::written_version);
  frame.tag(v8::Tag::object);
  for (const auto& [name, value] : members.items()) {
    frame.tag(v8::Tag::latin1, std::string_view(name));
    if (auto problem = writer_.write_part(value, objects, out)) return problem;
  }
  frame.tag(v8::Tag::latin1, std::string_view("msg"));
  if (auto problem = writer_.write_part(message, objects, out)) return problem;
  frame.tag(v8::Tag::end_of_object, std::uint64_t{members.size() + 1});
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
