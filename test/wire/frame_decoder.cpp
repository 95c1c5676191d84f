#include "wire/frame_decoder.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using tine::wire::FrameDecoder;
using tine::wire::LineFraming;
using Lines = std::vector<std::string>;

namespace {

using Sizes = std::vector<std::size_t>;

const LineFraming by_lines;
constexpr std::size_t no_limit = std::size_t{1} << 40;

void feed(FrameDecoder& decoder, std::string_view bytes) {
  const auto room = decoder.room(bytes.size());
  REQUIRE(room.size() >= bytes.size());
  std::copy(bytes.begin(), bytes.end(), room.begin());
  decoder.advance(bytes.size());
}

Lines take_all(FrameDecoder& decoder) {
  Lines lines;
  while (const auto line = decoder.next()) lines.emplace_back(*line);
  return lines;
}

// Feeds a stream in pieces of the given sizes, again and again. Takes the lines after each piece.
Lines decode(std::string_view stream, const std::vector<std::size_t>& sizes) {
  FrameDecoder decoder(by_lines, no_limit);
  Lines lines;
  for (std::size_t i = 0; !stream.empty(); ++i) {
    const std::string_view piece = stream.substr(0, sizes[i % sizes.size()]);
    stream.remove_prefix(piece.size());
    feed(decoder, piece);
    for (std::string& line : take_all(decoder)) lines.push_back(std::move(line));
  }
  return lines;
}

std::string joined(const Lines& lines) {
  std::string stream;
  for (const std::string& line : lines) stream += line + '\n';
  return stream;
}

// Returns lines of 0 to 4000 bytes, with characters of 1 to 4 bytes.
Lines mixed_lines(std::size_t count) {
  const Lines characters{"a", "é", "€", "😀"};
  std::mt19937 random(1);
  Lines lines(count);
  for (std::string& line : lines) {
    for (std::size_t n = random() % (random() % 8 == 0 ? 1000 : 20); n > 0; --n) {
      line += characters[random() % characters.size()];
    }
  }
  return lines;
}

// Returns the room that a decoder without pending bytes offers.
std::size_t idle_capacity(FrameDecoder& decoder) {
  REQUIRE(decoder.pending() == 0);
  return decoder.room().size();
}

void pass_lines(FrameDecoder& decoder, std::size_t count, std::size_t size) {
  const std::string line(size, 'x');
  for (std::size_t i = 0; i < count; ++i) {
    feed(decoder, line + '\n');
    REQUIRE(decoder.next() == line);
  }
}

const std::string short_stream = "{\"a\":1}\n\"é€😀\"\n\n\"x\"\r\n5\n\n\nnull\ntail";
const Lines short_lines{"{\"a\":1}", "\"é€😀\"", "", "\"x\"\r", "5", "", "", "null"};

}  // namespace

TEST_CASE("frame decoder: it gives no line before any bytes", "[wire]") {
  FrameDecoder decoder(by_lines, no_limit);

  CHECK_FALSE(decoder.has_frame());
  CHECK(decoder.next() == std::nullopt);
  CHECK(decoder.pending() == 0);
  CHECK_FALSE(decoder.overflown());
}

TEST_CASE("frame decoder: it gives the same lines if the stream is cut at any two points",
          "[wire]") {
  for (std::size_t first = 0; first <= short_stream.size(); ++first) {
    for (std::size_t second = 0; first + second <= short_stream.size(); ++second) {
      CAPTURE(first, second);
      REQUIRE(decode(short_stream, {first, second, short_stream.size()}) == short_lines);
    }
  }
}

TEST_CASE("frame decoder: it gives the same lines if bytes come one by one", "[wire]") {
  const Lines lines = mixed_lines(300);

  CHECK(decode(short_stream, {1}) == short_lines);
  CHECK(decode(joined(lines), {1}) == lines);
}

TEST_CASE("frame decoder: it gives the same lines for pieces of odd sizes", "[wire]") {
  const Lines lines = mixed_lines(2000);

  CHECK(decode(joined(lines), {143}) == lines);
  CHECK(decode(joined(lines), {137}) == lines);
  CHECK(decode(joined(lines), {143, 137}) == lines);
  CHECK(decode(joined(lines), {1, 65536, 3}) == lines);
}

TEST_CASE("frame decoder: it gives every line of one read", "[wire]") {
  const Lines lines = mixed_lines(5000);

  CHECK(decode(joined(lines), {no_limit}) == lines);
}

TEST_CASE("frame decoder: it gives empty lines for consecutive line feeds", "[wire]") {
  FrameDecoder decoder(by_lines, no_limit);
  feed(decoder, "\n\n\n");

  CHECK(take_all(decoder) == Lines{"", "", ""});
  CHECK(decoder.pending() == 0);
}

TEST_CASE("frame decoder: it keeps a carriage return before the line feed", "[wire]") {
  FrameDecoder decoder(by_lines, no_limit);
  feed(decoder, "a\r\n\r\nb\rc\n");

  CHECK(take_all(decoder) == Lines{"a\r", "\r", "b\rc"});
}

TEST_CASE("frame decoder: it keeps all other bytes of a binary stream", "[wire]") {
  std::string line(256, '\0');
  std::iota(line.begin(), line.end(), '\0');
  std::erase(line, '\n');
  FrameDecoder decoder(by_lines, no_limit);
  feed(decoder, line + '\n');

  CHECK(decoder.next() == line);
}

TEST_CASE("frame decoder: it gives a whole line that is longer than the first buffer", "[wire]") {
  const Lines lines{"short", std::string(3 * FrameDecoder::read_size + 7, 'y'), "end"};

  CHECK(decode(joined(lines), {FrameDecoder::read_size}) == lines);
  CHECK(decode(joined(lines), {143, 60'000}) == lines);
}

TEST_CASE("frame decoder: it gives a line of 64 MiB that comes in pieces of 64 KiB", "[wire]") {
  const std::string piece(FrameDecoder::read_size, 'z');
  FrameDecoder decoder(by_lines, no_limit);
  for (int i = 0; i < 1024; ++i) {
    feed(decoder, piece);
    REQUIRE_FALSE(decoder.has_frame());
  }
  feed(decoder, "\nnext\n");

  const auto line = decoder.next();
  REQUIRE(line.has_value());
  CHECK(line->size() == 1024 * piece.size());
  CHECK(line->find_first_not_of('z') == line->npos);
  CHECK(decoder.next() == "next");
}

TEST_CASE("frame decoder: it releases memory if small lines follow a huge one", "[wire]") {
  constexpr std::size_t huge = std::size_t{8} << 20;
  FrameDecoder decoder(by_lines, no_limit);
  pass_lines(decoder, 1, huge);
  pass_lines(decoder, 10, 100);
  CHECK(idle_capacity(decoder) >= huge);

  pass_lines(decoder, 100, 100);

  CHECK(idle_capacity(decoder) == FrameDecoder::read_size);
}

TEST_CASE("frame decoder: it keeps memory as long as lines are large", "[wire]") {
  constexpr std::size_t large = std::size_t{1} << 20;
  FrameDecoder decoder(by_lines, no_limit);
  pass_lines(decoder, 1, large);
  const char* const bytes = decoder.room().data();

  SECTION("all of them") { pass_lines(decoder, 200, large); }
  SECTION("some of them") {
    for (int i = 0; i < 10; ++i) {
      pass_lines(decoder, 50, 100);
      pass_lines(decoder, 1, large);
    }
  }

  CHECK(decoder.room().data() == bytes);
}

TEST_CASE("frame decoder: it stays small if every read ends within a line", "[wire]") {
  FrameDecoder decoder(by_lines, no_limit);
  const std::string cut = std::string(600, 'e') + '\n' + std::string(400, 's');
  for (int i = 0; i < 10'000; ++i) {
    feed(decoder, cut);
    REQUIRE(decoder.next().has_value());
  }
  feed(decoder, "\n");
  CHECK(take_all(decoder) == Lines{std::string(400, 's')});

  CHECK(idle_capacity(decoder) <= 4 * FrameDecoder::read_size);
}

TEST_CASE("frame decoder: it accepts a line that is as long as allowed", "[wire]") {
  FrameDecoder decoder(by_lines, 10);
  feed(decoder, "0123456789");
  CHECK_FALSE(decoder.has_frame());
  CHECK_FALSE(decoder.overflown());

  feed(decoder, "\n0123456789\n");

  CHECK(take_all(decoder) == Lines{"0123456789", "0123456789"});
  CHECK_FALSE(decoder.overflown());
}

TEST_CASE("frame decoder: it overflows if a line is one byte longer than allowed", "[wire]") {
  FrameDecoder decoder(by_lines, 10);

  SECTION("before the line feed has come") { feed(decoder, "0123456789a"); }
  SECTION("with the line feed in the same piece") { feed(decoder, "0123456789a\n"); }
  SECTION("with a later piece") {
    feed(decoder, "0123456789");
    CHECK_FALSE(decoder.has_frame());
    feed(decoder, "a\n");
  }

  CHECK_FALSE(decoder.has_frame());
  CHECK(decoder.next() == std::nullopt);
  CHECK(decoder.overflown());
}

TEST_CASE("frame decoder: it stays overflown if good lines follow", "[wire]") {
  FrameDecoder decoder(by_lines, 3);
  feed(decoder, "1234");
  CHECK_FALSE(decoder.has_frame());

  feed(decoder, "\n1\n2\n");

  CHECK_FALSE(decoder.has_frame());
  CHECK(decoder.next() == std::nullopt);
  CHECK(decoder.overflown());
}

TEST_CASE("frame decoder: it gives the lines before the one that overflows", "[wire]") {
  FrameDecoder decoder(by_lines, 3);
  feed(decoder, "1\n\n123\n1234\n5\n");

  CHECK(take_all(decoder) == Lines{"1", "", "123"});
  CHECK(decoder.overflown());
}

TEST_CASE("frame decoder: with a limit of 0, it accepts only empty lines", "[wire]") {
  FrameDecoder decoder(by_lines, 0);
  feed(decoder, "\n\nx\n");

  CHECK(take_all(decoder) == Lines{"", ""});
  CHECK(decoder.overflown());
}

TEST_CASE("frame decoder: it gives a line again after put_back()", "[wire]") {
  FrameDecoder decoder(by_lines, no_limit);
  feed(decoder, "one\n\nthree\n");

  for (const char* const line : {"one", "", "three"}) {
    REQUIRE(decoder.next() == line);
    decoder.put_back();
    CHECK(decoder.has_frame());
    REQUIRE(decoder.next() == line);
    decoder.put_back();
    CHECK(decoder.next() == line);
  }
  CHECK(decoder.next() == std::nullopt);
}

TEST_CASE("frame decoder: it gives a line again if more bytes come after put_back()", "[wire]") {
  const Lines lines = mixed_lines(200);
  FrameDecoder decoder(by_lines, no_limit);
  std::size_t taken = 0;
  for (const std::string& line : lines) {
    feed(decoder, line.substr(0, line.size() / 2));
    feed(decoder, line.substr(line.size() / 2) + "\n");
    REQUIRE(decoder.next() == lines[taken]);
    decoder.put_back();
    if (taken % 7 == 0) decoder.room(4 * FrameDecoder::read_size);
    feed(decoder, "");
    REQUIRE(decoder.next() == lines[taken++]);
  }
  CHECK(decoder.pending() == 0);
}

TEST_CASE("frame decoder: it gives a line again if the next one was already searched", "[wire]") {
  FrameDecoder decoder(by_lines, 5);
  feed(decoder, "one\n");

  SECTION("the next line has come") {
    feed(decoder, "two\n");
    CHECK(decoder.next() == "one");
    CHECK(decoder.has_frame());
    decoder.put_back();
    CHECK(take_all(decoder) == Lines{"one", "two"});
  }
  SECTION("the next line has overflowed") {
    feed(decoder, "too long\n");
    CHECK(decoder.next() == "one");
    CHECK_FALSE(decoder.has_frame());
    decoder.put_back();
    CHECK(take_all(decoder) == Lines{"one"});
    CHECK(decoder.overflown());
  }
}

TEST_CASE("frame decoder: has_line() may be called repeatedly", "[wire]") {
  FrameDecoder decoder(by_lines, no_limit);
  feed(decoder, "one\ntwo");

  for (int i = 0; i < 3; ++i) CHECK(decoder.has_frame());
  CHECK(decoder.pending() == 7);
  CHECK(decoder.next() == "one");
  for (int i = 0; i < 3; ++i) CHECK_FALSE(decoder.has_frame());
  CHECK(decoder.pending() == 3);
  feed(decoder, "\n");
  CHECK(decoder.next() == "two");
}

TEST_CASE("frame decoder: it counts the pending bytes", "[wire]") {
  FrameDecoder decoder(by_lines, no_limit);
  feed(decoder, "one\ntw");
  CHECK(decoder.pending() == 6);
  CHECK(decoder.next() == "one");
  CHECK(decoder.pending() == 2);
  decoder.put_back();
  CHECK(decoder.pending() == 6);
  CHECK(decoder.next() == "one");
  feed(decoder, "o\n");
  CHECK(decoder.pending() == 4);
  CHECK(decoder.next() == "two");
  CHECK(decoder.pending() == 0);
}

TEST_CASE("frame decoder: room() gives at least as much as was asked for, and never nothing",
          "[wire]") {
  FrameDecoder decoder(by_lines, no_limit);
  CHECK_FALSE(decoder.room(0).empty());
  CHECK(decoder.room().size() >= FrameDecoder::read_size);
  CHECK(decoder.room(1'000'000).size() >= 1'000'000);

  feed(decoder, std::string(decoder.room().size(), 'x'));
  CHECK_FALSE(decoder.room(0).empty());
}

TEST_CASE("frame decoder: the bytes after each line can be read, even if the buffer is full",
          "[wire]") {
  FrameDecoder decoder(by_lines, no_limit);
  for (const std::size_t lines : Sizes{1, 2, 64}) {
    const auto room = decoder.room();
    std::fill(room.begin(), room.end(), 'x');
    for (std::size_t i = 1; i <= lines; ++i) room[room.size() / lines * i - 1] = '\n';
    room.back() = '\n';
    decoder.advance(room.size());
    while (const auto line = decoder.next()) {
      const char* const end = line->data() + line->size();
      CHECK(std::count(end, end + tine::base::padding, '\n') >= 1);
    }
  }
}

TEST_CASE("frame decoder: it gives the same lines for random reads and takes", "[wire]") {
  const Lines lines = mixed_lines(5000);
  const std::string stream = joined(lines);
  std::string_view rest = stream;
  std::mt19937 random(2);
  FrameDecoder decoder(by_lines, no_limit);
  std::size_t taken = 0;
  while (taken < lines.size()) {
    const std::string_view piece = rest.substr(0, random() % (random() % 10 == 0 ? 100'000 : 500));
    rest.remove_prefix(piece.size());
    feed(decoder, piece);
    for (std::size_t takes = random() % 20; takes > 0; --takes) {
      const auto line = decoder.next();
      if (!line) break;
      REQUIRE(*line == lines[taken++]);
      if (random() % 4 != 0) continue;
      decoder.put_back();
      --taken;
    }
  }
  CHECK(decoder.pending() == 0);
}

TEST_CASE("frame decoder: ahead() gives whole lines, and only if there are several", "[wire]") {
  FrameDecoder decoder(by_lines, no_limit);
  CHECK(decoder.ahead(100).empty());
  feed(decoder, "one\ntw");
  CHECK(decoder.ahead(100).empty());
  feed(decoder, "o\nthree\nfour");
  CHECK(decoder.ahead(100) == "one\ntwo\nthree\n");
  CHECK(decoder.ahead(13) == "one\ntwo\n");
  CHECK(decoder.ahead(7).empty());
  CHECK(decoder.ahead(2).empty());

  const std::string_view ahead = decoder.ahead(100);
  CHECK(decoder.next()->data() == ahead.data());
  CHECK(decoder.ahead(100) == "two\nthree\n");
}
