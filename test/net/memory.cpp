// A stream frees the memory that it no longer needs.
#include <cstddef>
#include <string>

#include "support/catch.hpp"
#include "uv/write_queue.hpp"
#include "wire/heap.hpp"

TEST_CASE("write queue: a very large buffer is released when it is written", "[net]") {
  constexpr std::size_t huge = std::size_t{1} << 20;
  const std::string bytes(huge, 'x');
  tine::SendCallback nobody;
  const std::size_t before = heap::live_bytes();
  tine::uv::WriteQueue queue(huge / 4);
  queue.add(bytes, nobody);
  queue.front();
  queue.add(bytes, nobody);  // added while the first one is written
  CHECK(heap::live_bytes() - before >= 2 * huge);
  while (queue.queued() > 0) queue.written(queue.front().size());
  CHECK(heap::live_bytes() - before < huge / 16);
}
