// A peer sends messages about connections that it has passed to this process, with keys of its
// choice.
#include <cstddef>
#include <string>

#include <stdlib.h>

#include "support/catch.hpp"
#include "support/raw_peer.hpp"
#include "support/test_loop.hpp"
#include "wire/heap.hpp"

TEST_CASE("process: keys of the peer without a connection are not kept", "[process]") {
  constexpr std::size_t size_of_key = 10'000;
  TestLoop loop;
  int fd = -1;
  RawPeer peer(fd);
  setenv("NODE_CHANNEL_FD", std::to_string(fd).c_str(), 1);
  tine::Process process(loop);
  process.on<"message">([&] { loop->stop(); });
  std::size_t before = 0;
  for (int i = 0; i < 100; ++i) {
    if (i == 10) before = heap::live_bytes();
    const std::string key = std::to_string(i) + std::string(size_of_key, 'k');
    peer.write(R"({"cmd":"NODE_SOCKET_NOTIFY_CLOSE","key":")" + key + "\"}\n1\n");
    loop.run();
    CHECK_THAT(peer.read_available(), ContainsSubstring("NODE_SOCKET_ALL_CLOSED"));
  }
  CHECK(heap::live_bytes() < before + 10 * size_of_key);
  process.disconnect();
  loop.run();
}
