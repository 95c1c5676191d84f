#include "command/script/line_diff.hpp"

#include <algorithm>

namespace tine::command {

namespace {

using Lines = std::vector<std::string_view>;

// The most lines that are compared, because the table of common lines grows with the square. Of
// longer texts, all of one is listed, then all of the other.
constexpr std::size_t most_compared = 2000;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (true) {
    const auto feed = text.find('\n');
    lines.push_back(text.substr(0, feed));
    if (feed == text.npos) return lines;
    text.remove_prefix(feed + 1);
  }
}

// Returns, for each pair of indices, the length of the longest common subsequence of the lines from
// there on.
std::vector<std::vector<std::size_t>> common_lengths(const Lines& a, const Lines& b) {
  std::vector<std::vector<std::size_t>> length(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      length[i][j] =
          a[i] == b[j] ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);
    }
  }
  return length;
}

}  // namespace

std::vector<std::string> line_diff(std::string_view expected, std::string_view came) {
  const Lines a = lines_of(expected);
  const Lines b = lines_of(came);
  const bool compare = a.size() <= most_compared && b.size() <= most_compared;
  const auto length = compare ? common_lengths(a, b) : std::vector<std::vector<std::size_t>>{};
  std::vector<std::string> diff;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (compare && i < a.size() && j < b.size() && a[i] == b[j]) {
      diff.push_back("  " + std::string(a[i++]));
      ++j;
    } else if (i < a.size() &&
               (!compare || j == b.size() || length[i + 1][j] >= length[i][j + 1])) {
      diff.push_back("- " + std::string(a[i++]));
    } else {
      diff.push_back("+ " + std::string(b[j++]));
    }
  }
  return diff;
}

}  // namespace tine::command
