#include "wire/json_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include <simdjson.h>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"

namespace tine::wire {

namespace {

using nlohmann::json;
namespace dom = simdjson::dom;

static_assert(base::padding >= simdjson::SIMDJSON_PADDING);

// Where CMake did not find them itself, because an application has them.
static_assert(simdjson::SIMDJSON_VERSION_MAJOR >= 3, "tine needs simdjson 3 or newer");
static_assert(NLOHMANN_JSON_VERSION_MAJOR > 3 || NLOHMANN_JSON_VERSION_MINOR >= 11,
              "tine needs nlohmann/json 3.11 or newer");

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// A builder that writes what simdjson parsed over an existing json value.
class Builder {
 public:
  void build(json& target, dom::element from) {
    found_.clear();  // left by a build that ran out of memory
    fill(target, from);
  }

 private:
  void fill(json& target, dom::element from) {
    switch (from.type()) {
      case dom::element_type::OBJECT: fill_object(target, from.get_object()); break;
      case dom::element_type::ARRAY: fill_array(target, from.get_array()); break;
      case dom::element_type::STRING: fill_string(target, from.get_string()); break;
      case dom::element_type::INT64: fill_integer(target, from.get_int64()); break;
      case dom::element_type::UINT64:
        assign(target, json::value_t::number_unsigned, std::uint64_t{from.get_uint64()});
        break;
      case dom::element_type::DOUBLE:
        assign(target, json::value_t::number_float, double{from.get_double()});
        break;
      case dom::element_type::BOOL:
        assign(target, json::value_t::boolean, bool{from.get_bool()});
        break;
      case dom::element_type::NULL_VALUE: target = nullptr; break;
    }
  }

  // Compares the types because get_ptr() to a signed number also succeeds for an unsigned one.
  template <class T>
  static void assign(json& target, json::value_t type, T value) {
    if (target.type() == type) {
      *target.get_ptr<T*>() = value;
    } else {
      target = value;
    }
  }

  // Stores a non-negative integer as unsigned, as nlohmann's own parser does.
  static void fill_integer(json& target, std::int64_t number) {
    if (number < 0) {
      assign(target, json::value_t::number_integer, number);
    } else {
      assign(target, json::value_t::number_unsigned, static_cast<std::uint64_t>(number));
    }
  }

  static void fill_string(json& target, std::string_view text) {
    if (auto* const old = target.get_ptr<json::string_t*>()) {
      old->assign(text);
    } else {
      target = json::string_t(text);
    }
  }

  void fill_array(json& target, dom::array from) {
    if (!target.is_array()) target = json::array();
    auto& array = *target.get_ptr<json::array_t*>();
    std::size_t size = 0;
    for (const dom::element element : from) {
      if (size == array.size()) array.emplace_back();
      fill(array[size++], element);
    }
    array.resize(size);
  }

  // Reads each field once, however much of the existing object can be reused. Otherwise a text with
  // an object on each level could be read twice for each level.
  void fill_object(json& target, dom::object from) {
    if (!target.is_object()) target = json::object();
    auto& object = *target.get_ptr<json::object_t*>();
    Fields fields{from.begin(), from.end()};
    auto old = object.begin();
    std::size_t in_order = 0;  // members that come sorted, as tine and others send them
    for (; !fields.empty() && old != object.end() && old->first == fields.key(); ++old) {
      fill(old->second, fields.take());
      ++in_order;
    }
    if (fields.empty() && old == object.end()) return;
    if (refill(object, old, object.size() - in_order, fields)) return;
    object.erase(old, object.end());
    // The hint makes keys that are sorted linear.
    while (!fields.empty()) {
      json& value = object.try_emplace(object.end(), json::string_t(fields.key()))->second;
      fill(value, fields.take());
    }
  }

  // The fields of an object that are still to be read.
  struct Fields {
    dom::object::iterator next;
    dom::object::iterator end;

    bool empty() const { return !(next != end); }
    std::string_view key() const { return next.key(); }
    dom::element take() {
      const dom::element value = next.value();
      ++next;
      return value;
    }
  };

  // Reads over the `left` existing members from `old` on if the remaining fields have exactly their
  // keys, in any order. Otherwise reads nothing and returns false.
  bool refill(json::object_t& object, json::object_t::iterator old, std::size_t left,
              Fields fields) {
    if (left == 0 || left > most_compared) return false;
    const std::size_t first = found_.size();
    const bool same_keys = find_all(object, old, left, fields);
    if (same_keys) {
      for (std::size_t i = first; !fields.empty(); ++i) fill(*found_[i], fields.take());
    }
    found_.resize(first);
    return same_keys;
  }

  // Appends to found_ the existing value for each remaining key. Returns false if the keys are not
  // exactly those of the `left` members from `old` on.
  bool find_all(json::object_t& object, json::object_t::iterator old, std::size_t left,
                Fields fields) {
    const std::size_t first = found_.size();
    for (; !fields.empty(); ++fields.next) {
      const auto found = object.find(fields.key());
      const bool is_left = found != object.end() && !(found->first < old->first);
      if (!is_left || found_.size() - first == left) return false;
      found_.push_back(&found->second);
    }
    return found_.size() - first == left && each_once(first);
  }

  bool each_once(std::size_t first) const {
    for (auto one = found_.begin() + static_cast<std::ptrdiff_t>(first); one != found_.end();
         ++one) {
      if (std::find(one + 1, found_.end(), *one) != found_.end()) return false;
    }
    return true;
  }

  // Above this size, comparing each member with each other costs more than a new object.
  static constexpr std::size_t most_compared = 32;

  std::vector<json*> found_;  // the values to fill, for all objects that are being refilled
};

// Returns the first offset outside of strings for which `found` returns true. Calls `found` for
// those offsets in order.
template <class Found>
std::optional<std::size_t> find_outside_strings(std::string_view text, Found found) {
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      in_string = !in_string;
    } else if (in_string) {
      if (c == '\\') ++i;
    } else if (found(i)) {
      return i;
    }
  }
  return std::nullopt;
}

// Returns the first offset at which arrays and objects are nested deeper than allowed.
std::optional<std::size_t> too_deep_at(std::string_view text, std::size_t max_depth) {
  std::size_t depth = 0;
  return find_outside_strings(text, [&](std::size_t i) {
    const char c = text[i];
    if (c == '[' || c == '{') return ++depth > max_depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    return false;
  });
}

// Returns the code unit of the escape \uXXXX that starts at `at`, if there is one.
std::optional<unsigned> unicode_escape(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  for (const char c : text.substr(at + 2, 4)) {
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9') {
      unit = unit * 16 + static_cast<unsigned>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      unit = unit * 16 + static_cast<unsigned>(lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return unit;
}

bool is_high_surrogate(unsigned unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low_surrogate(unsigned unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }

// Replaces the escape of each surrogate that is not half of a pair by the escape of U+FFFD. The
// text keeps its length, so offsets stay valid.
void repair_lone_surrogates(std::string& text) {
  for (std::size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
    const auto unit = unicode_escape(text, at);
    if (!unit) {
      at += 2;
      continue;
    }
    const bool high = is_high_surrogate(*unit);
    const auto second = high ? unicode_escape(text, at + 6) : std::nullopt;
    if (second && is_low_surrogate(*second)) {
      at += 12;
      continue;
    }
    if (high || is_low_surrogate(*unit)) text.replace(at + 2, 4, "fffd");
    at += 6;
  }
}

BadJson bad(std::string_view text, std::size_t offset, std::string reason) {
  return {offset, std::move(reason), excerpt(text, offset)};
}

BadJson nested_too_deep(std::string_view text, std::size_t offset, std::size_t max_depth) {
  return bad(text, offset, "nested more than " + std::to_string(max_depth) + " deep");
}

// Returns the reason in an nlohmann error text: what follows the dash, without "last read". Example
// of such a text: "[json.exception.parse_error.101] parse error at line 1, column 6: syntax error
// while parsing value - unexpected ','; expected '[', '{', or a literal; last read: …".
std::string plain_reason(std::string_view what) {
  constexpr std::string_view dash = " - ";
  constexpr std::size_t longest = 160;
  if (const auto at = what.find(dash); at != what.npos) what.remove_prefix(at + dash.size());
  return std::string(what.substr(0, what.find("; last read")).substr(0, longest));
}

// Makes the error for an nlohmann error text such as "number overflow parsing '1e400'". The offset
// is that of the number.
BadJson out_of_range(std::string_view text, std::string_view what) {
  constexpr std::string_view digits = "0123456789+-.eE";
  const std::size_t open = what.find('\'') + 1;
  const std::string_view number = what.substr(open, what.rfind('\'') - open);
  const auto at = find_outside_strings(text, [&](std::size_t i) {
    if (i > 0 && digits.find(text[i - 1]) != digits.npos) return false;
    return text.substr(i, text.find_first_not_of(digits, i) - i) == number;
  });
  return bad(text, at.value_or(0), "a number is out of range");
}

}  // namespace

std::string BadJson::text() const {
  return "at byte " + std::to_string(offset) + ": " + reason + ", near `" + excerpt + "`";
}

std::string excerpt(std::string_view text, std::size_t offset) {
  constexpr std::size_t before = 20;
  constexpr std::size_t length = 40;
  const std::size_t start = std::min(text.size(), offset > before ? offset - before : 0);
  const std::string_view cut = text.substr(start, length);
  std::string shown = start > 0 ? "…" : "";
  for (const char c : cut) {
    if (c >= 0x20 && c < 0x7F) {
      shown += c;
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      shown += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    }
  }
  if (start + cut.size() < text.size()) shown += "…";
  return shown;
}

namespace {

// Newer releases of simdjson skip a byte order mark, so the reader looks for one itself.
bool has_byte_order_mark(std::string_view text) { return text.starts_with(byte_order_mark); }

// Grows a parser for texts of `size` bytes.
//
// simdjson counts the text itself as a level, but not an innermost empty array or object. So a text
// that it accepts is never too deep, and one that is exactly as deep as allowed may go to
// arbitrate().
void reserve(dom::parser& parser, std::size_t size, std::size_t max_depth) {
  constexpr std::size_t smallest = 4096;
  if (size <= parser.capacity()) return;
  const std::size_t capacity = std::max({smallest, size, 2 * parser.capacity()});
  if (parser.allocate(capacity, max_depth) == simdjson::SUCCESS) return;
  parser = dom::parser();  // its old buffers are of no use now
  throw std::bad_alloc();
}

// A batch of lines that are parsed together: the first stage of simdjson runs once for all of them.
//
// simdjson sees texts with whitespace between them, so a text need not be a line. The first text
// that is not exactly a line, or that is bad, ends the batch.
class Batch {
 public:
  void start(std::string_view lines, std::size_t max_depth) {
    stop();
    if (lines.empty() || has_byte_order_mark(lines)) return;
    reserve(parser_, lines.size(), max_depth);
#ifdef SIMDJSON_THREADS_ENABLED
    parser_.threaded = false;
#endif
    // Leaves out the last '\n': if a text is not closed, simdjson looks at the byte behind the
    // batch and goes on if that byte fits.
    const std::size_t size = lines.size() - 1;
    stream_.emplace();
    if (parser_.parse_many(lines.data(), size, size).get(*stream_)) return stop();
    lines_ = lines;
    text_ = stream_->begin();
    taken_ = false;
  }

  void stop() { stream_.reset(); }

  // Returns whether `line` is the next text of the batch, and stores that text in `text`, which is
  // valid until the next call.
  bool take(std::string_view line, dom::element& text) {
    if (!stream_) return false;
    if (std::exchange(taken_, true)) ++text_;
    const bool begins_here = text_ != stream_->end() && (*text_).get(text) == simdjson::SUCCESS &&
                             lines_.data() + text_.current_index() == line.data();
    // The end of a number or other scalar is not certain, because simdjson drops what is incomplete
    // at the end of the batch. Such a line is parsed alone.
    if (begins_here && !text.is_object() && !text.is_array()) return false;
    const bool same = begins_here && text_.source().size() == line.size();
    if (!same) stop();
    return same;
  }

 private:
  dom::parser parser_;
  std::optional<dom::document_stream> stream_;
  dom::document_stream::iterator text_;
  std::string_view lines_;
  bool taken_ = false;
};

}  // namespace

class JsonReader::Parser {
 public:
  explicit Parser(std::size_t max_depth) : max_depth_(std::min(max_depth, deepest_recursion)) {}

  // Returns the size of the largest text that the parser has memory for.
  std::size_t capacity() const { return parser_.capacity(); }

  void expect(std::string_view lines) { batch_.start(lines, max_depth_); }

  // Returns false if simdjson rejects the text, which may be valid all the same.
  bool check(std::string_view text) {
    dom::element root;
    return parse(text, root);
  }

  bool read(std::string_view text, json& value) {
    dom::element root;
    if (!batch_.take(text, root) && !parse(text, root)) return false;
    builder_.build(value, root);
    return true;
  }

 private:
  // Does not pass on an empty text: simdjson would allocate for it with a depth of its own.
  bool parse(std::string_view text, dom::element& root) {
    if (text.empty() || has_byte_order_mark(text)) return false;
    reserve(parser_, text.size(), max_depth_);
    return parser_.parse(text.data(), text.size(), false).get(root) == simdjson::SUCCESS;
  }

  // The builder uses up to 1 KiB of stack for each level, and a thread may have only 256 KiB. A
  // text that is nested deeper goes to arbitrate(), which does not recurse.
  static constexpr std::size_t deepest_recursion = 128;

  dom::parser parser_;
  Batch batch_;
  Builder builder_;
  std::size_t max_depth_;
};

JsonReader::JsonReader(std::size_t max_depth)
    : max_depth_(std::clamp(max_depth, std::size_t{1}, deepest)) {}
JsonReader::~JsonReader() = default;

void JsonReader::expect(std::string_view lines) {
  if (parser_ || !lines.empty()) parser().expect(lines);
}

std::optional<BadJson> JsonReader::read(std::string_view text, json& value) {
  if (auto deep = deep_at_its_start(text)) return deep;
  release_if_oversized(text.size(), value);
  return parser().read(text, value) ? std::nullopt : arbitrate(text, value);
}

std::optional<BadJson> JsonReader::check(std::string_view text) {
  if (auto deep = deep_at_its_start(text)) return deep;
  json unused;
  release_if_oversized(text.size(), unused);
  if (parser().check(text)) return std::nullopt;
  return arbitrate(text, unused);
}

JsonReader::Parser& JsonReader::parser() {
  if (!parser_) parser_ = std::make_unique<Parser>(max_depth_);
  return *parser_;
}

// simdjson uses five times the memory of a text before it looks at the nesting. A long text that is
// too deep usually is so at its start, so it is refused without that.
std::optional<BadJson> JsonReader::deep_at_its_start(std::string_view text) const {
  constexpr std::size_t long_text = std::size_t{1} << 20;
  constexpr std::size_t start = std::size_t{64} << 10;
  if (text.size() < long_text) return std::nullopt;
  const auto at = too_deep_at(text.substr(0, start), max_depth_);
  if (!at) return std::nullopt;
  return nested_too_deep(text, *at, max_depth_);
}

std::optional<BadJson> JsonReader::arbitrate(std::string_view text, json& value) const {
  if (text.find_first_not_of(" \t\r\n") == text.npos) {
    return bad(text, text.size(), "an empty text");
  }
  // Rejects here what nlohmann's parser would accept.
  if (text.starts_with(byte_order_mark)) return bad(text, 0, "a byte order mark");
  if (const auto nul = text.find('\0'); nul != text.npos) return bad(text, nul, "a NUL byte");
  if (const auto at = too_deep_at(text, max_depth_)) {
    return nested_too_deep(text, *at, max_depth_);
  }
  std::string repaired(text);
  repair_lone_surrogates(repaired);
  try {
    value = json::parse(repaired);
    return std::nullopt;
  } catch (const json::parse_error& error) {
    return bad(text, error.byte > 0 ? error.byte - 1 : 0, plain_reason(error.what()));
  } catch (const json::out_of_range& error) {
    return out_of_range(text, error.what());
  }
}

void JsonReader::release_if_oversized(std::size_t text_size, json& value) {
  if (!parser_ || !need_.outgrown(text_size, parser_->capacity())) return;
  value = nullptr;
  parser_.reset();
}

}  // namespace tine::wire
