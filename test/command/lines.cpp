#include <string>
#include <vector>

#include "command/script/line_diff.hpp"
#include "command/script/stdout_lines.hpp"
#include "command/shared/line_splitter.hpp"
#include "support/catch.hpp"

using namespace tine::command;
using Lines = std::vector<std::string>;

namespace {

Lines split(std::string_view text, std::size_t piece) {
  LineSplitter splitter;
  Lines lines;
  const auto take = [&] {
    while (const auto line = splitter.next()) lines.emplace_back(*line);
  };
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    splitter.add(text.substr(0, piece));
    take();
  }
  splitter.end();
  take();
  CHECK(splitter.number() == lines.size());
  CHECK(splitter.pending() == 0);
  return lines;
}

}  // namespace

TEST_CASE("line splitter: pieces of any size give the same lines", "[command]") {
  const std::string text = "one\n\ntwo\r\n\xc3\xbc\nlast";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    CAPTURE(piece);
    CHECK(split(text, piece) == Lines{"one", "", "two", "\xc3\xbc", "last"});
  }
  CHECK(split("a\n", 9) == Lines{"a"});
  CHECK(split("", 9).empty());
}

TEST_CASE("stdout lines: they are taken in order, including a last one without a line feed",
          "[command]") {
  StdoutLines lines;
  lines.add("one\ntw");
  CHECK(lines.take() == "one");
  CHECK(lines.empty());
  lines.add("o");
  CHECK(lines.empty());
  CHECK_FALSE(lines.ended());
  lines.end();
  CHECK(lines.take() == "two");
  CHECK((lines.empty() && lines.ended()));
}

TEST_CASE("stdout lines: only the last thousand are kept", "[command]") {
  StdoutLines lines;
  for (int i = 0; i < 1001; ++i) lines.add(std::to_string(i) + "\n");
  CHECK(lines.take() == "1");
}

TEST_CASE("column: it counts characters, not bytes", "[command]") {
  CHECK(column_of("abc", 0) == 1);
  CHECK(column_of("\xc3\xbc"
                  "b",
                  2) == 2);
  CHECK(column_of("ab", 9) == 3);
}

TEST_CASE("line diff: common lines are kept", "[command]") {
  CHECK(line_diff("a\nb\nc", "a\nx\nc") == Lines{"  a", "- b", "+ x", "  c"});
  CHECK(line_diff("a", "a") == Lines{"  a"});
  CHECK(line_diff("a\nb", "b") == Lines{"- a", "  b"});
  CHECK(line_diff("b", "b\nc") == Lines{"  b", "+ c"});
}

TEST_CASE("line diff: texts that are too long to compare are shown one after the other",
          "[command]") {
  std::string lines;
  for (int i = 0; i < 2000; ++i) lines += "x\n";
  const Lines diff = line_diff(lines, "x");
  CHECK(diff.size() == 2002);
  CHECK(diff.front() == "- x");
  CHECK(diff.back() == "+ x");
}
