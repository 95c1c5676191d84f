#include "wire/json_reader.hpp"

#include <cmath>
#include <cstdint>
#include <ctime>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "wire/random_json.hpp"
#include "wire/read_text.hpp"

using namespace std::string_literals;
using nlohmann::json;
using tine::wire::BadMessage;
using tine::wire::excerpt;
using tine::wire::JsonReader;

namespace {

struct BadText {
  std::string text;
  std::size_t offset;
  std::string reason;  // a part of the reason
};

void check_bad(const std::vector<BadText>& texts) {
  for (const BadText& expected : texts) {
    CAPTURE(expected.text);
    const auto bad = read_text(expected.text).bad;
    REQUIRE(bad.has_value());
    CAPTURE(bad->reason);
    CHECK(bad->offset == expected.offset);
    CHECK(bad->reason.find(expected.reason) != std::string::npos);
    CHECK(bad->reason.find("json.exception") == std::string::npos);
    CHECK(bad->excerpt == excerpt(expected.text, expected.offset));
  }
}

// Returns the value of a valid text.
json value_of(std::string_view text) {
  CAPTURE(std::string(text));
  ReadResult result = read_text(text);
  CHECK((result.bad ? result.bad->text() : "") == "");
  return std::move(result.value);
}

std::string utf8(unsigned code_point) {
  std::string bytes;
  const auto add = [&](unsigned byte) { bytes += static_cast<char>(byte); };
  if (code_point < 0x80) {
    add(code_point);
  } else if (code_point < 0x800) {
    add(0xC0 | code_point >> 6);
    add(0x80 | (code_point & 63));
  } else {
    if (code_point >= 0x10000) add(0xF0 | code_point >> 18);
    add(code_point >= 0x10000 ? 0x80 | (code_point >> 12 & 63) : 0xE0 | code_point >> 12);
    add(0x80 | (code_point >> 6 & 63));
    add(0x80 | (code_point & 63));
  }
  return bytes;
}

// Converts UTF-16 to UTF-8, with U+FFFD for each lone surrogate.
std::string decoded(const std::vector<unsigned>& units) {
  std::string text;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const bool high = units[i] >= 0xD800 && units[i] < 0xDC00;
    const bool low = units[i] >= 0xDC00 && units[i] < 0xE000;
    if (high && i + 1 < units.size() && units[i + 1] >= 0xDC00 && units[i + 1] < 0xE000) {
      text += utf8(0x10000 + ((units[i] - 0xD800) << 10) + (units[i + 1] - 0xDC00));
      ++i;
    } else {
      text += utf8(high || low ? 0xFFFD : units[i]);
    }
  }
  return text;
}

std::string escaped(unsigned unit, bool upper_case) {
  const std::string digits = upper_case ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string text = "\\u";
  for (const int shift : {12, 8, 4, 0}) text += digits[unit >> shift & 15];
  return text;
}

// Returns the string that the reader makes from the text between two quotes.
std::string string_of(std::string_view text) {
  return value_of('"' + std::string(text) + '"').get<std::string>();
}

std::string object_with_keys(const std::vector<std::size_t>& keys) {
  std::string text = "{";
  for (const std::size_t key : keys) {
    if (text.size() > 1) text += ',';
    text += "\"key" + std::to_string(1'000'000 + key) + "\":" + std::to_string(key);
  }
  return text + '}';
}

// Returns the CPU time that a call takes, because on a busy machine the elapsed time means less.
template <class Call>
double seconds(Call call) {
  const std::clock_t start = std::clock();
  call();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

const std::string replacement = "\xEF\xBF\xBD";

}  // namespace

TEST_CASE("json reader: it reads every kind of value", "[wire]") {
  CHECK(value_of("null").is_null());
  CHECK(value_of("true") == true);
  CHECK(value_of("false") == false);
  CHECK(value_of("5") == 5);
  CHECK(value_of("1.5") == 1.5);
  CHECK(value_of(R"("str")") == "str");
  CHECK(value_of(R"("")") == "");
  CHECK(value_of("[]") == json::array());
  CHECK(value_of("{}") == json::object());
  CHECK(value_of(R"({"a":[1,{"b":null}],"":"é😀"})") ==
        json({{"a", {1, {{"b", nullptr}}}}, {"", "é😀"}}));
}

TEST_CASE("json reader: it accepts blanks around tokens, including carriage returns", "[wire]") {
  CHECK(value_of(" \t\r\n{ \"a\" :\t[ 1 ,\r 2 ] }\r") == json({{"a", {1, 2}}}));
  CHECK(value_of("5\r") == 5);
}

TEST_CASE("json reader: it refuses an empty text", "[wire]") {
  check_bad({{"", 0, "an empty text"}, {"  \t", 3, "an empty text"}, {"\r", 1, "an empty text"}});
  json value;
  CHECK(JsonReader(default_depth).read({}, value).has_value());
}

TEST_CASE("json reader: it refuses a text that is not JSON", "[wire]") {
  check_bad({{"undefined", 0, "invalid literal"},
             {"tru", 3, "invalid literal"},
             {"nulll", 4, "invalid literal"},
             {"NaN", 0, "invalid literal"},
             {"-Infinity", 1, "invalid number"},
             {"{'a':1}", 1, "invalid literal"},
             {"{a:1}", 1, "invalid literal"},
             {"{1:2}", 1, "unexpected number literal"},
             {"/* c */1", 0, "invalid literal"},
             {"1 // c", 2, "invalid literal"},
             {"GET / HTTP/1.1\r", 0, "invalid literal"}});
}

TEST_CASE("json reader: it refuses a text with something after the value", "[wire]") {
  check_bad({{R"({"a":1} x)", 8, "invalid literal"},
             {"1 2", 2, "unexpected number literal"},
             {"{}{}", 2, "unexpected '{'"},
             {"1,2", 1, "unexpected ','"},
             {"[]]", 2, "unexpected ']'"},
             {"01", 1, "unexpected number literal"},
             {"\"a\"\"b\"", 5, "unexpected string literal"}});
}

TEST_CASE("json reader: it refuses wrong punctuation", "[wire]") {
  check_bad({{R"({"a":,})", 5, "unexpected ','"},
             {R"({"a":1,})", 7, "unexpected '}'"},
             {"[1,]", 3, "unexpected ']'"},
             {"[,1]", 1, "unexpected ','"},
             {"[1 2]", 3, "unexpected number literal"},
             {R"({"a" 1})", 5, "unexpected number literal"},
             {"[1}", 2, "unexpected '}'"},
             {R"({"a":1])", 6, "unexpected ']'"},
             {"]", 0, "unexpected ']'"},
             {"}", 0, "unexpected '}'"},
             {":", 0, "unexpected ':'"}});
}

TEST_CASE("json reader: it refuses a text that ends too early", "[wire]") {
  check_bad({{"[1", 2, "unexpected end of input"},
             {"[", 1, "unexpected end of input"},
             {R"({"a")", 4, "unexpected end of input"},
             {R"({"a":)", 5, "unexpected end of input"},
             {R"("abc)", 4, "missing closing quote"},
             {R"("\")", 3, "missing closing quote"}});

  const std::string text = R"({"a":[1,"é\u0041",{"b":null}],"c":-1.5e3})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK(read_text(text.substr(0, size)).bad.has_value());
  }
}

TEST_CASE("json reader: it refuses a malformed number", "[wire]") {
  check_bad({{"-", 1, "invalid number"},
             {"1.", 2, "invalid number"},
             {"1e", 2, "invalid number"},
             {"1e+", 3, "invalid number"},
             {"[-a]", 2, "invalid number"},
             {".5", 0, "invalid literal"},
             {"+1", 0, "invalid literal"},
             {"0x10", 1, "invalid literal"},
             {"-01", 2, "unexpected number literal"}});
}

TEST_CASE("json reader: it refuses a malformed escape", "[wire]") {
  check_bad({{R"("\x")", 2, "forbidden character after backslash"},
             {R"("\U0041")", 2, "forbidden character after backslash"},
             {R"("\u12g4")", 5, "must be followed by 4 hex digits"},
             {R"("\u12)", 5, "must be followed by 4 hex digits"},
             {R"("\ud80")", 6, "must be followed by 4 hex digits"},
             {R"("\ud800\u12")", 11, "must be followed by 4 hex digits"}});
}

TEST_CASE("json reader: it refuses a control character in a string", "[wire]") {
  for (char c = 1; c < 0x20; ++c) {
    check_bad(
        {{"[\"a"s + c + "\"]", 3, "control character"}, {"{\""s + c + "\":1}", 2, "control"}});
  }
  CHECK(string_of("\x7F") == "\x7F");
}

TEST_CASE("json reader: it refuses a byte order mark", "[wire]") {
  check_bad({{"\xEF\xBB\xBF{}", 0, "a byte order mark"},
             {"\xEF\xBB\xBF", 0, "a byte order mark"},
             {"\xEF\xBB{}", 2, "invalid BOM"},
             {"{}\xEF\xBB\xBF", 2, "invalid literal"}});
  CHECK(string_of("\xEF\xBB\xBF") == "\xEF\xBB\xBF");
}

TEST_CASE("json reader: it refuses a NUL byte", "[wire]") {
  check_bad({{"\0"s, 0, "a NUL byte"},
             {"{}\0"s, 2, "a NUL byte"},
             {"{}\0{}"s, 2, "a NUL byte"},
             {"\"a\0b\""s, 2, "a NUL byte"},
             {"[1,\0 2]"s, 3, "a NUL byte"}});
}

TEST_CASE("json reader: it refuses a string that is not UTF-8", "[wire]") {
  constexpr auto reason = "ill-formed UTF-8";
  check_bad({{"\"\xFF\"", 1, reason},
             {"\"a\x80\"", 2, reason},
             {"\"\xC3\"", 2, reason},
             {"\"ab\xC3", 4, reason},
             {"\"\xE2\x82\"", 3, reason},
             {"\"\xF0\x9F\x98\"", 4, reason},
             {"\"\xC0\xAF\"", 1, reason},
             {"\"\xE0\x80\xAF\"", 2, reason},
             {"\"\xED\xA0\x80\"", 2, reason},
             {"\"\xF4\x90\x80\x80\"", 2, reason},
             {"\"\xF8\x88\x80\x80\x80\"", 1, reason},
             {"{\"\xC3\":1}", 3, reason}});
}

TEST_CASE("json reader: it refuses non-ASCII characters outside of strings", "[wire]") {
  check_bad({{"{}\xFF", 2, "invalid literal"},
             {"\xC3\xA9", 0, "invalid literal"},
             {"[\xE2\x80\xA8]", 1, "invalid literal"},
             {"\xC2\xA0{}", 0, "invalid literal"}});
}

TEST_CASE("json reader: an error has the offset in the original, even if surrogates were replaced",
          "[wire]") {
  check_bad(
      {{R"(["\ud800","\udc00",])", 19, "unexpected ']'"}, {R"(\ud800)", 0, "invalid literal"}});
  CHECK(read_text(R"(["\ud800",])").bad->excerpt == R"(["\ud800",])");
}

TEST_CASE("json reader: it reads good texts after bad ones", "[wire]") {
  JsonReader reader(default_depth);
  json value;
  for (const auto& bad : {""s, "{"s, "x"s, "{\"a\":[1,\"b\",}"s, "\"\xFF\""s, "\xEF\xBB\xBF{}"s,
                          "{}\0"s, "1e400"s, std::string(2000, '['), "\"\\ud800"s}) {
    CAPTURE(bad);
    CHECK(read_over(reader, bad, value).has_value());
    CHECK_NOTHROW(value.dump());
    CHECK_FALSE(read_over(reader, R"({"a":[1,"b",null]})", value).has_value());
    CHECK(value == json({{"a", {1, "b", nullptr}}}));
  }
}

TEST_CASE("json reader: it reads numbers like nlohmann's parser, with the same types", "[wire]") {
  for (const auto* const text : {"0",
                                 "1",
                                 "-1",
                                 "9007199254740991",
                                 "9007199254740992",
                                 "9007199254740993",
                                 "-9007199254740993",
                                 "9223372036854775807",
                                 "9223372036854775808",
                                 "18446744073709551615",
                                 "18446744073709551616",
                                 "-9223372036854775808",
                                 "-9223372036854775809",
                                 "100000000000000000000",
                                 "12345678901234567890123",
                                 "0.0",
                                 "-0.0",
                                 "1.0",
                                 "1E5",
                                 "1e+21",
                                 "1e-7",
                                 "1e-400",
                                 "-1e-400",
                                 "5e-324",
                                 "2.5e-324",
                                 "1.7976931348623157e308",
                                 "123456789012345678901234567890.5e-10",
                                 "0.1",
                                 "9007199254740993.0"}) {
    CAPTURE(text);
    CHECK(same(value_of(text), json::parse(text)));
    CHECK(value_of(text).type() == json::parse(text).type());
  }
}

TEST_CASE("json reader: at the limits of 64 bits, numbers are signed, unsigned or floating",
          "[wire]") {
  CHECK(value_of("0").type() == json::value_t::number_unsigned);
  CHECK(value_of("-1").type() == json::value_t::number_integer);
  CHECK(value_of("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK(value_of("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  CHECK(value_of("18446744073709551616").type() == json::value_t::number_float);
  CHECK(value_of("18446744073709551616") == 18446744073709551616.0);
  CHECK(value_of("-9223372036854775809").type() == json::value_t::number_float);
  CHECK(value_of(R"({"a":[100000000000000000000,1,-1]})") == json({{"a", {1e20, 1, -1}}}));
}

TEST_CASE("json reader: it reads a zero with a minus sign", "[wire]") {
  CHECK(value_of("-0") == 0);
  CHECK(value_of("-0").is_number_integer());
  CHECK(std::signbit(value_of("-0.0").get<double>()));
  CHECK(std::signbit(value_of("-1e-400").get<double>()));
}

TEST_CASE("json reader: it refuses a number out of range, and reports its offset", "[wire]") {
  constexpr auto reason = "a number is out of range";
  check_bad({{"1e400", 0, reason},
             {"-1e999", 0, reason},
             {R"({"a":[1,1e309]})", 8, reason},
             {R"({"1e400":"1e400","\"1e400":1e400})", 27, reason},
             {"[0.00000000001e310,1e400,1e310]", 19, reason},
             {"[ 2e308 ]", 2, reason},
             {std::string(400, '9'), 0, reason},
             {"[" + std::string(400, '9') + "e-300," + std::string(400, '9') + "]", 407, reason}});
}

TEST_CASE("json reader: it needs little time for a number with a million digits", "[wire]") {
  const std::string digits(1'000'000, '7');

  CHECK(read_text("[1," + digits + "]").bad->offset == 3);
  CHECK(value_of("0." + digits) == 7.0 / 9);
  CHECK(value_of(digits + "e-1000000") == 7.0 / 9);
}

TEST_CASE("json reader: it replaces a lone surrogate escape", "[wire]") {
  CHECK(string_of(R"(\ud800)") == replacement);
  CHECK(string_of(R"(\udc00)") == replacement);
  CHECK(string_of(R"(\uDBFF)") == replacement);
  CHECK(string_of(R"(\uDfFf)") == replacement);
  CHECK(string_of(R"(a\ud800b)") == "a" + replacement + "b");
  CHECK(string_of(R"(\ud800\n)") == replacement + "\n");
  CHECK(string_of(R"(\ud800\\)") == replacement + "\\");
  CHECK(string_of(R"(\ud800\u0041)") == replacement + "A");
  CHECK(string_of(R"(\ud800ude00)") == replacement + "ude00");
  CHECK(string_of(R"(\ud800 \ude00)") == replacement + " " + replacement);
  CHECK(string_of(R"(\ude00\ud83d)") == replacement + replacement);
  CHECK(string_of(R"(\ud83d\ud83d)") == replacement + replacement);
}

TEST_CASE("json reader: it keeps surrogate pairs between lone surrogates", "[wire]") {
  CHECK(string_of(R"(\ud83d\ude00)") == "😀");
  CHECK(string_of(R"(\uD83D\uDE00)") == "😀");
  CHECK(string_of(R"(\uD800\uDC00\uDBFF\uDFFF)") == "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
  CHECK(string_of(R"(\ud83d\ud83d\ude00)") == replacement + "😀");
  CHECK(string_of(R"(\ud83d\ude00\ude00)") == "😀" + replacement);
  CHECK(string_of(R"(\ud800é\ud83d\uDE00😀)") == replacement + "é😀😀");
}

TEST_CASE("json reader: an escaped backslash does not begin a surrogate", "[wire]") {
  CHECK(string_of(R"(\\ud800)") == R"(\ud800)");
  CHECK(string_of(R"(\\\ud800)") == R"(\)" + replacement);
  CHECK(string_of(R"(\\\\ud800\ud800)") == R"(\\ud800)" + replacement);
  CHECK(string_of(R"(\"\ud800\")") == "\"" + replacement + "\"");
  CHECK(string_of(R"(\ud800\\udc00)") == replacement + R"(\udc00)");
}

TEST_CASE("json reader: it replaces lone surrogates in keys", "[wire]") {
  CHECK(value_of(R"({"\ud800":1})") == json({{replacement, 1}}));
  CHECK(value_of(R"({"\ud800":1,"\udc00":2})") == json({{replacement, 2}}));
  CHECK(value_of(R"({"a\udc00\ud83d\ude00":{"\ud800\ud800":"\ud800"}})") ==
        json({{"a" + replacement + "😀", {{replacement + replacement, replacement}}}}));
  CHECK(value_of(R"(["\ud800",100000000000000000000])") == json({replacement, 1e20}));
}

TEST_CASE("json reader: it reads escapes as UTF-16, in any order of code units", "[wire]") {
  constexpr std::uint64_t seed = 20;
  RandomJson random(seed);
  const std::vector<unsigned> choices{0x41,   0xE9,   0xD7FF, 0xD800, 0xD83D, 0xDBFF,
                                      0xDC00, 0xDE00, 0xDFFF, 0xE000, 0xFFFD};
  for (int n = 0; n < 3000; ++n) {
    std::vector<unsigned> units(random.below(8));
    std::string text;
    for (unsigned& unit : units) {
      unit = choices[random.below(choices.size())];
      text += unit == 0xE9 ? "é" : unit == 0x41 ? "A" : escaped(unit, random.below(2) == 0);
    }
    JsonReader reader(default_depth);
    json value;
    const bool good = !read_over(reader, '"' + text + '"', value);
    if (good && value == decoded(units)) continue;
    CAPTURE(seed, n, text, value);
    FAIL("read as something else");
  }
}

TEST_CASE("json reader: it keeps the last member if a key comes twice", "[wire]") {
  CHECK(value_of(R"({"a":1,"a":2})") == json({{"a", 2}}));
  CHECK(value_of(R"({"a":1,"b":5,"\u0061":{"x":1},"a":[]})") ==
        json({{"a", json::array()}, {"b", 5}}));
  CHECK(value_of(R"({"a":{"x":1},"a":{"y":2}})") == json({{"a", {{"y", 2}}}}));
}

TEST_CASE("json reader: keys that are special in JavaScript are plain members", "[wire]") {
  const json value = value_of(R"({"__proto__":{"a":1},"constructor":2,"":3})");

  CHECK(value.size() == 3);
  CHECK(value["__proto__"] == json({{"a", 1}}));
  CHECK(value["constructor"] == 2);
  CHECK(value[""] == 3);
}

TEST_CASE("json reader: it reads every legal escape", "[wire]") {
  CHECK(string_of(R"(\"\\\/\b\f\n\r\t)") == "\"\\/\b\f\n\r\t");
  CHECK(string_of(R"(\u0000)") == "\0"s);
  CHECK(string_of(R"(a\u0000b\u0000)") == "a\0b\0"s);
  CHECK(value_of(R"({"a\u0000":1,"a":2})") == json({{"a\0"s, 1}, {"a", 2}}));
  CHECK(string_of(R"(\u007f\u0080\u07FF\u0800\uffff)") ==
        "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF");
  CHECK(string_of("\u2028\u2029\u007F") == "\u2028\u2029\u007F");
}

TEST_CASE("json reader: an object with very many keys takes linear time", "[wire]") {
  std::vector<std::size_t> keys(300'000);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = i * 7'919 % keys.size();
  const PaddedText text(object_with_keys(keys));
  JsonReader reader(default_depth);
  json value;
  json expected;
  const double reference = seconds([&] { expected = json::parse(text.view()); });

  CHECK(seconds([&] { CHECK_FALSE(reader.read(text.view(), value).has_value()); }) <
        20 * reference);
  CHECK(value == expected);
}

TEST_CASE("json reader: permuted keys that are read over an object take linear time", "[wire]") {
  std::vector<std::size_t> keys(150'000);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = i;
  JsonReader reader(default_depth);
  json value;
  CHECK_FALSE(read_over(reader, object_with_keys(keys), value).has_value());
  std::swap(keys[0], keys[1]);
  const PaddedText permuted(object_with_keys(keys));
  json expected;
  const double reference = seconds([&] { expected = json::parse(permuted.view()); });

  CHECK(seconds([&] { CHECK_FALSE(reader.read(permuted.view(), value).has_value()); }) <
        20 * reference);
  CHECK(value == expected);
}

TEST_CASE("json error: its text has the offset, the reason and an excerpt", "[wire]") {
  CHECK(BadMessage{5, "a reason", "cut"}.text() == "at byte 5: a reason, near `cut`");
  CHECK(read_text(R"({"a":,})").bad->text() ==
        R"(at byte 5: unexpected ','; expected '[', '{', or a literal, near `{"a":,}`)");
  CHECK(read_text("\xEF\xBB\xBF{}").bad->text() ==
        R"(at byte 0: a byte order mark, near `\xef\xbb\xbf{}`)");
}

TEST_CASE("json error: its text is short and printable, even for a huge binary text", "[wire]") {
  std::string text(1'000'000, '\x80');
  text[0] = '"';
  const auto bad = read_text(text).bad;

  REQUIRE(bad.has_value());
  CHECK(bad->text().size() < 400);
  CHECK_NOTHROW(json(bad->text()).dump());
}

TEST_CASE("excerpt: it shows the text around the offset", "[wire]") {
  std::string text;
  for (char c = 'A'; c <= 'Z'; ++c) text += {c, static_cast<char>(c | 0x20), '.', '-'};
  REQUIRE(text.size() == 104);

  CHECK(excerpt(text, 0) == text.substr(0, 40) + "…");
  CHECK(excerpt(text, 20) == text.substr(0, 40) + "…");
  CHECK(excerpt(text, 21) == "…" + text.substr(1, 40) + "…");
  CHECK(excerpt(text, 50) == "…" + text.substr(30, 40) + "…");
  CHECK(excerpt(text, 84) == "…" + text.substr(64));
  CHECK(excerpt(text, 103) == "…" + text.substr(83));
  CHECK(excerpt(text, 104) == "…" + text.substr(84));
}

TEST_CASE("excerpt: it shows as much as there is if the offset is beyond the end", "[wire]") {
  CHECK(excerpt("", 0).empty());
  CHECK(excerpt("", 100).empty());
  CHECK(excerpt("short", 5) == "short");
  CHECK(excerpt("short", 22) == "…ort");
  CHECK(excerpt("short", 1000) == "…");
  CHECK(excerpt("short", std::numeric_limits<std::size_t>::max()) == "…");
}

TEST_CASE("excerpt: bytes that are not printable ASCII are shown in hex", "[wire]") {
  CHECK(excerpt("a\0\t\n\x1F~\x7F"s, 0) == R"(a\x00\x09\x0a\x1f~\x7f)");
  CHECK(excerpt("é\xFF", 0) == R"(\xc3\xa9\xff)");
}

TEST_CASE("json reader: a bad line among expected lines is an error, too", "[wire]") {
  const std::string other =
      GENERATE(as<std::string>{}, "{}\n", "[1]\n", "7\n", "{\"a\":1,\"b\":[133,8,0,2,3]}\n");
  for (const std::string bad :
       {"-1{[[[0", "1 2", "{}{}", "[1]x", "{\"a\":1", "tru", "\"a\"\"b\"", R"({"b"[:1],"a":2})",
        "[[]", "\"open", "", "{} []", "[1,", "5]", "{\"a\" \"b\"}"}) {
    for (const char* const behind : {"", ":[[[5", "]]", "}", ",1]", "\""}) {
      const PaddedText padded(other + bad + '\n' + behind);
      const std::string_view lines = padded.view().substr(0, padded.view().rfind('\n') + 1);
      const std::string_view first = lines.substr(0, lines.find('\n'));
      JsonReader reader(default_depth);
      json value;
      reader.expect(lines);
      CAPTURE(bad, other, behind);
      CHECK_FALSE(reader.read(first, value).has_value());
      CHECK(value == json::parse(first));
      CHECK(reader.read({first.data() + first.size() + 1, bad.size()}, value).has_value());
    }
  }
}
