// Where frames begin and end, for lines and for framings that announce lengths.
#include "wire/framing.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/length_framing.hpp"
#include "wire/frame_decoder.hpp"

using tine::wire::FrameDecoder;
using tine::wire::Framing;
using tine::wire::LineFraming;
using tine::wire::V8Framing;
using Contents = std::vector<std::string>;

namespace {

constexpr std::size_t no_limit = std::size_t{1} << 40;

// A framing, some frames, and their contents.
struct Sample {
  const Framing& framing;
  Contents contents;
  std::vector<std::string> frames;

  std::string stream() const {
    std::string all;
    for (const std::string& frame : frames) all += frame;
    return all;
  }
  // Returns how many frames end within the first `bytes` of the stream.
  std::size_t complete_within(std::size_t bytes) const {
    std::size_t count = 0;
    for (std::size_t end = 0; count < frames.size(); ++count) {
      end += frames[count].size();
      if (end > bytes) break;
    }
    return count;
  }
  std::size_t size_of(std::size_t count) const {
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) size += frames[i].size();
    return size;
  }
};

Sample line_sample() {
  static const LineFraming framing;
  Sample sample{framing, {"{\"a\":1}", "", "", "\"é\"\r", "5"}, {}};
  for (const std::string& content : sample.contents) sample.frames.push_back(content + '\n');
  return sample;
}

// The contents look like line ends and like lengths.
Sample length_sample() {
  static const LengthFraming framing;
  const std::string zeros(5, '\0');
  Sample sample{framing, {"a\nb\n", "", zeros, "\n", std::string(300, '\n'), "end"}, {}};
  for (const std::string& content : sample.contents) {
    sample.frames.push_back(length_frame(content));
  }
  return sample;
}

Sample v8_sample() {
  static const V8Framing framing;
  const std::string zeros(5, '\0');
  Sample sample{
      framing,
      {"\xFF\n\n", "", "\xFF" + zeros, "\xFF", "\xFF" + std::string(300, '\n'), "", "\xFF!"},
      {}};
  for (const std::string& content : sample.contents) {
    sample.frames.push_back(length_frame(content));
  }
  return sample;
}

void feed(FrameDecoder& decoder, std::string_view bytes) {
  std::copy(bytes.begin(), bytes.end(), decoder.room(bytes.size()).begin());
  decoder.advance(bytes.size());
}

Contents take_all(FrameDecoder& decoder) {
  Contents contents;
  while (const auto content = decoder.next()) contents.emplace_back(*content);
  return contents;
}

}  // namespace

TEST_CASE("framing: counts complete frames, when the bytes end anywhere", "[wire]") {
  const Sample sample = GENERATE(line_sample(), length_sample(), v8_sample());
  const std::string stream = sample.stream();
  for (std::size_t size = 0; size <= stream.size(); ++size) {
    CAPTURE(size);
    const std::string_view bytes = std::string_view(stream).substr(0, size);
    const std::size_t complete = sample.complete_within(size);
    REQUIRE(sample.framing.count_complete(bytes) == complete);
    REQUIRE(sample.framing.size_of_complete(bytes) == sample.size_of(complete));
  }
}

TEST_CASE("framing: finds the end of the frame that any byte belongs to", "[wire]") {
  const Sample sample = GENERATE(line_sample(), length_sample(), v8_sample());
  const std::string stream = sample.stream();
  for (std::size_t at = 0; at <= stream.size(); ++at) {
    CAPTURE(at);
    const std::size_t before = sample.complete_within(at);
    const bool begins_here = sample.size_of(before) == at;
    REQUIRE(sample.framing.end_of_frame(stream, at) ==
            (begins_here ? at : sample.size_of(before + 1)));
  }
}

TEST_CASE("framing: the decoder gives the same frames, when cut at any two points", "[wire]") {
  const Sample sample = GENERATE(line_sample(), length_sample(), v8_sample());
  const std::string stream = sample.stream();
  const std::size_t step = stream.size() > 100 ? 7 : 1;
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (std::size_t second = first; second <= stream.size(); second += step) {
      CAPTURE(first, second);
      FrameDecoder decoder(sample.framing, no_limit);
      feed(decoder, stream.substr(0, first));
      Contents contents = take_all(decoder);
      REQUIRE(decoder.pending() == first - sample.size_of(sample.complete_within(first)));
      REQUIRE(decoder.unfinished() == decoder.pending());
      feed(decoder, stream.substr(first, second - first));
      for (std::string& content : take_all(decoder)) contents.push_back(std::move(content));
      feed(decoder, stream.substr(second));
      for (std::string& content : take_all(decoder)) contents.push_back(std::move(content));
      REQUIRE(contents == sample.contents);
    }
  }
}

TEST_CASE("framing: the decoder gives each frame whole, and again when it is put back", "[wire]") {
  const Sample sample = GENERATE(line_sample(), length_sample(), v8_sample());
  FrameDecoder decoder(sample.framing, no_limit);
  feed(decoder, sample.stream());
  for (std::size_t i = 0; i < sample.frames.size(); ++i) {
    REQUIRE(decoder.next() == sample.contents[i]);
    CHECK(decoder.last() == sample.frames[i]);
    decoder.put_back();
    CHECK(decoder.has_frame());
    REQUIRE(decoder.next() == sample.contents[i]);
    CHECK(decoder.last() == sample.frames[i]);
  }
  CHECK_FALSE(decoder.has_frame());
}

TEST_CASE("framing: what is ahead is whole frames, and none if there is but one", "[wire]") {
  const Sample sample = GENERATE(line_sample(), length_sample(), v8_sample());
  const std::string stream = sample.stream();
  FrameDecoder decoder(sample.framing, no_limit);
  feed(decoder, stream);
  for (std::size_t most = 0; most <= stream.size(); ++most) {
    CAPTURE(most);
    const std::size_t complete = sample.complete_within(most);
    const std::size_t size = complete < 2 ? 0 : sample.size_of(complete);
    REQUIRE(decoder.ahead(most) == std::string_view(stream).substr(0, size));
  }
}

TEST_CASE("framing: a length past the limit overflows, before the content comes", "[wire]") {
  const LengthFraming framing;
  FrameDecoder decoder(framing, 10);
  const std::string longest(10, 'x');
  feed(decoder, length_frame(longest) + length_frame(longest + "x").substr(0, 4));
  CHECK(decoder.next() == longest);
  CHECK_FALSE(decoder.overflown());
  CHECK_FALSE(decoder.has_frame());
  CHECK(decoder.overflown());
  feed(decoder, "more");
  CHECK(decoder.next() == std::nullopt);
}

TEST_CASE("v8 framing: what is no value is foreign, as soon as that shows", "[wire]") {
  const V8Framing framing;
  const std::string good = length_frame("\xFF");
  const std::string bun("\1\2\0\0\0", 5);
  for (const std::string& foreign : {std::string("{\"a\":1}\n"), bun, length_frame("x")}) {
    CAPTURE(foreign);
    FrameDecoder decoder(framing, no_limit);
    feed(decoder, good + foreign.substr(0, 4));
    CHECK(decoder.next() == "\xFF");
    CHECK_FALSE(decoder.has_frame());
    CHECK_FALSE(decoder.foreign());
    feed(decoder, foreign.substr(4, 1));
    CHECK_FALSE(decoder.has_frame());
    CHECK(decoder.foreign());
    feed(decoder, foreign.substr(5) + good);
    CHECK(decoder.next() == std::nullopt);
  }
}
