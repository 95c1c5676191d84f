// Unusual lines of each kind that a peer may write, and the values that are read from them.
#pragma once

#include <optional>
#include <string>
#include <vector>

struct OddLine {
  std::string bytes;
  std::optional<std::string> taken_as;  // the value that is read, as JSON; nullopt means an error
};

inline const std::vector<OddLine> odd_lines{
    {"garbage", {}},
    {"undefined", {}},
    {"NaN", {}},
    {"{\"a\":", {}},
    {"{\"a\":1,}", {}},
    {"[1", {}},
    {"tru", {}},
    {"01", {}},
    {"", {}},
    {"  \t ", {}},
    {"{} trailing", {}},
    {"1 2", {}},
    {"1 // comment", {}},
    {"/* comment */ 1", {}},
    {"'single'", {}},
    {"\xEF\xBB\xBF{}", {}},
    {std::string("1\0", 2), {}},
    {std::string("\"a\0b\"", 5), {}},
    {"\"a\tb\"", {}},
    {"\"a\x01z\"", {}},
    {"\xFF\xFE", {}},
    {"\xC3\xA9", {}},
    {"\"\xFF\"", {}},
    {"\"\xC3\"", {}},
    {"\"\xC0\xAF\"", {}},
    {"\"\xED\xA0\x80\"", {}},
    {"\"\xF4\x90\x80\x80\"", {}},
    {"{\"\xFF\":1}", {}},
    {"\"\\q\"", {}},
    {"\"\\u12\"", {}},
    {"1e999", {}},
    {"-1e400", {}},
    {"1\r", "1"},
    {" [ 1 , 2 ]\t", "[1,2]"},
    {"\"\\ud800\"", "\"\uFFFD\""},
    {"{\"\\udc00\":\"\\ud83dx\"}", "{\"\uFFFD\":\"\uFFFDx\"}"},
    {"\"\\ud83d\\ude00\"", "\"\U0001F600\""},
    {"\"\\u0000\"", "\"\\u0000\""},
    {"\"\\uFEFF\"", "\"\uFEFF\""},
    {"\"\x7F\"", "\"\x7F\""},
    {"{\"a\":1,\"b\":2,\"a\":3}", R"({"a":3,"b":2})"},
    {"{\"__proto__\":1,\"constructor\":{\"prototype\":2}}",
     R"({"__proto__":1,"constructor":{"prototype":2}})"},
    {"-0", "0"},
    {"9007199254740991", "9007199254740991"},
    {"9007199254740993", "9007199254740993"},
    {"-9007199254740993", "-9007199254740993"},
    {"18446744073709551616", "1.8446744073709552e+19"},
    {"1e-400", "0.0"},
};

// Returns internal messages that make no sense: each command, with members of each wrong type.
inline std::string internal_nonsense() {
  std::string lines;
  for (const std::string command :
       {"NODE_X", "NODE_CLUSTER", "NODE_HANDLE_ACK", "NODE_HANDLE_NACK", "NODE_SOCKET_NOTIFY_CLOSE",
        "NODE_SOCKET_COUNT", "NODE_SOCKET_GET_COUNT"}) {
    for (const std::string value : {R"("x")", "{}", "[]", "null", "true", "-1", "1e30",
                                    "9223372036854775808", "-0.5", R"("")"}) {
      lines += R"({"cmd":")" + command + R"(","seq":)" + value + R"(,"ack":)" + value +
               R"(,"key":)" + value + R"(,"act":)" + value + R"(,"type":)" + value + R"(,"msg":)" +
               value + "}\n";
    }
  }
  return lines;
}
