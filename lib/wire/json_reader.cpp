#include "wire/json_reader.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include <simdjson.h>

#include <nlohmann/json.hpp>

#include "base/byte_buffer.hpp"
#include "wire/bad_json.hpp"
#include "wire/json_refill.hpp"

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
    refill_.refill(value, root);
    return true;
  }

 private:
  // Does not pass on an empty text: simdjson would allocate for it with a depth of its own.
  bool parse(std::string_view text, dom::element& root) {
    if (text.empty() || has_byte_order_mark(text)) return false;
    reserve(parser_, text.size(), max_depth_);
    return parser_.parse(text.data(), text.size(), false).get(root) == simdjson::SUCCESS;
  }

  // The refill uses up to 1 KiB of stack for each level, and a thread may have only 256 KiB. A
  // text that is nested deeper goes to arbitrate(), which does not recurse.
  static constexpr std::size_t deepest_recursion = 128;

  dom::parser parser_;
  Batch batch_;
  JsonRefill refill_;
  std::size_t max_depth_;
};

JsonReader::JsonReader(std::size_t max_depth)
    : max_depth_(std::clamp(max_depth, std::size_t{1}, deepest)) {}
JsonReader::~JsonReader() = default;

void JsonReader::expect(std::string_view lines) {
  if (parser_ || !lines.empty()) parser().expect(lines);
}

std::optional<BadMessage> JsonReader::read(std::string_view text, json& value) {
  if (auto deep = deep_at_its_start(text)) return deep;
  if (release_if_oversized(text.size())) value = nullptr;
  return parser().read(text, value) ? std::nullopt : arbitrate(text, value);
}

std::optional<BadMessage> JsonReader::check(std::string_view text) {
  if (auto deep = deep_at_its_start(text)) return deep;
  release_if_oversized(text.size());
  if (parser().check(text)) return std::nullopt;
  json unused;
  return arbitrate(text, unused);
}

JsonReader::Parser& JsonReader::parser() {
  if (!parser_) parser_ = std::make_unique<Parser>(max_depth_);
  return *parser_;
}

// simdjson uses five times the memory of a text before it looks at the nesting. A long text that is
// too deep usually is so at its start, so it is refused without that.
std::optional<BadMessage> JsonReader::deep_at_its_start(std::string_view text) const {
  constexpr std::size_t long_text = std::size_t{1} << 20;
  constexpr std::size_t start = std::size_t{64} << 10;
  if (text.size() < long_text) return std::nullopt;
  return nested_too_deep(text, max_depth_, start);
}

std::optional<BadMessage> JsonReader::arbitrate(std::string_view text, json& value) const {
  if (text.find_first_not_of(" \t\r\n") == text.npos) {
    return bad_message(text, text.size(), "an empty text");
  }
  // Rejects here what nlohmann's parser would accept.
  if (text.starts_with(byte_order_mark)) return bad_message(text, 0, "a byte order mark");
  if (const auto nul = text.find('\0'); nul != text.npos)
    return bad_message(text, nul, "a NUL byte");
  if (auto deep = nested_too_deep(text, max_depth_)) return deep;
  std::string repaired(text);
  repair_lone_surrogates(repaired);
  try {
    value = json::parse(repaired);
    return std::nullopt;
  } catch (const json::parse_error& error) {
    return syntax_error(text, error.byte, error.what());
  } catch (const json::out_of_range& error) {
    return number_out_of_range(text, error.what());
  }
}

bool JsonReader::release_if_oversized(std::size_t text_size) {
  if (!parser_ || !need_.outgrown(text_size, parser_->capacity())) return false;
  parser_.reset();
  return true;
}

}  // namespace tine::wire
