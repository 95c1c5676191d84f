#include "base/byte_buffer.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "support/catch.hpp"

using tine::base::ByteBuffer;

TEST_CASE("byte buffer: a new one is empty", "[wire]") {
  const ByteBuffer bytes;

  CHECK(bytes.size() == 0);
  CHECK(bytes.capacity() == 0);
  CHECK(bytes.view().empty());
}

TEST_CASE("byte buffer: growing keeps the bytes", "[wire]") {
  ByteBuffer bytes;
  std::string expected;

  for (std::size_t i = 0; i < 5000; ++i) {
    const std::string piece(i % 37, static_cast<char>('a' + i % 26));
    bytes.append(piece);
    bytes.push_back('\n');
    expected += piece + '\n';
  }

  CHECK(bytes.view() == expected);
  CHECK(bytes.capacity() >= bytes.size());
}

TEST_CASE(
    "byte buffer: room() gives at least as much as was asked for, also when it is nearly full",
    "[wire]") {
  ByteBuffer bytes;
  bytes.append("start");
  const std::size_t wanted = bytes.capacity() - bytes.size() + 1;

  char* const room = bytes.room(wanted);
  std::fill_n(room, wanted + tine::base::padding, 'x');
  bytes.advance(wanted);

  CHECK(bytes.view() == "start" + std::string(wanted, 'x'));
}

TEST_CASE("byte buffer: bytes can be dropped at its end and at its front", "[wire]") {
  ByteBuffer bytes;
  bytes.append("one two three");

  bytes.truncate(7);
  CHECK(bytes.view() == "one two");
  bytes.erase_front(4);
  CHECK(bytes.view() == "two");
  bytes.erase_front(0);
  CHECK(bytes.view() == "two");
  bytes.erase_front(3);
  CHECK(bytes.view().empty());
}

TEST_CASE("byte buffer: an emptied one keeps its memory until release()", "[wire]") {
  ByteBuffer bytes;
  bytes.append(std::string(5000, 'x'));
  const std::size_t capacity = bytes.capacity();

  bytes.truncate(0);
  CHECK(bytes.size() == 0);
  CHECK(bytes.capacity() == capacity);

  bytes.release();
  CHECK(bytes.capacity() == 0);
  bytes.append("again");
  CHECK(bytes.view() == "again");
}

TEST_CASE("byte buffer: the bytes after the last one can be read, even when it is full", "[wire]") {
  ByteBuffer bytes;
  bytes.push_back('x');
  while (bytes.size() < bytes.capacity()) bytes.push_back('x');

  const char* const end = bytes.view().data() + bytes.size();

  CHECK(std::accumulate(end, end + tine::base::padding, 0) == 0);
}
