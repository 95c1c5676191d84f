// How a stream is to read, and the bytes that it holds.
#include "net/read_side.hpp"

#include <algorithm>
#include <span>
#include <string_view>

#include "support/catch.hpp"

using tine::net::ReadSide;
using Reading = ReadSide::Reading;

TEST_CASE("read side: bytes are delivered while somebody listens, or after resume()", "[net]") {
  ReadSide side;
  CHECK_FALSE(side.flowing(false));
  CHECK(side.flowing(true));
  side.resume();
  CHECK(side.flowing(false));
  CHECK(side.flowing(true));
  side.pause();
  CHECK_FALSE(side.flowing(false));
  CHECK_FALSE(side.flowing(true));
  CHECK(side.paused());
  side.resume();
  CHECK(side.flowing(false));
}

TEST_CASE("read side: while nobody wants bytes, the stream does as told, unless it is paused",
          "[net]") {
  const Reading unwanted = GENERATE(Reading::off, Reading::watching);
  ReadSide side;
  side.open(unwanted);
  CHECK(side.wanted_reading(true) == Reading::on);
  CHECK(side.wanted_reading(false) == unwanted);
  side.pause();
  CHECK(side.wanted_reading(true) == Reading::off);
  CHECK(side.wanted_reading(false) == Reading::off);
  side.resume();
  CHECK(side.wanted_reading(false) == Reading::on);
}

TEST_CASE("read side: bytes are held until they are taken, also after the end", "[net]") {
  ReadSide side;
  CHECK_FALSE(side.is_open());
  side.open(Reading::off);
  CHECK(side.is_open());
  const std::span<char> room = side.room();
  std::ranges::copy(std::string_view("abc"), room.begin());
  side.hold(3);
  side.end();
  CHECK_FALSE(side.is_open());
  CHECK(side.held() == 3);
  CHECK(side.take_held() == "abc");
  CHECK(side.held() == 0);
  CHECK(side.room().data() == room.data());
}

TEST_CASE("read side: when it is destroyed, it holds nothing", "[net]") {
  ReadSide side;
  side.open(Reading::watching);
  side.room()[0] = 'x';
  side.hold(1);
  side.destroy();
  CHECK_FALSE(side.is_open());
  CHECK(side.held() == 0);
  side.free_room();
  CHECK_FALSE(side.room().empty());
}
