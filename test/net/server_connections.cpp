// The connections of a server are counted, here and in other processes.
#include "net/server_connections.hpp"

#include <cerrno>
#include <functional>
#include <memory>
#include <system_error>
#include <utility>

#include "net/objects.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"

using tine::net::ServerConnections;

namespace {

// Connections in a process that answers when the test says so.
struct Elsewhere final : tine::net::PeerConnections {
  void count(std::function<void(std::error_code, std::size_t)> counted) override {
    answer = std::move(counted);
  }
  void when_all_closed(std::function<void()>) override {}

  std::function<void(std::error_code, std::size_t)> answer;
};

}  // namespace

TEST_CASE("server connections: full at the limit, which may change while they are open", "[net]") {
  ServerConnections connections;
  CHECK_FALSE(connections.full());
  connections.set_most(1);
  CHECK_FALSE(connections.full());
  connections.opened();
  CHECK(connections.full());
  connections.set_most(2);
  CHECK_FALSE(connections.full());
  connections.opened();
  connections.set_most(1);
  connections.ended();
  CHECK(connections.full());
  connections.set_most(std::nullopt);
  CHECK_FALSE(connections.full());
  connections.set_most(0);
  CHECK(connections.full());
  CHECK(connections.most() == 0);
}

TEST_CASE("server connections: none, when all have ended in all processes", "[net]") {
  ServerConnections connections;
  CHECK(connections.none());
  const auto one = std::make_shared<Elsewhere>();
  const auto other = std::make_shared<Elsewhere>();
  connections.opened();
  connections.add(one);
  connections.add(other);
  connections.ended();
  CHECK_FALSE(connections.none());
  connections.remove(*one);
  CHECK_FALSE(connections.none());
  connections.remove(*one);  // it is not there any more
  CHECK(connections.take_peers().size() == 1);
  CHECK(connections.none());
}

TEST_CASE("server connections: the count comes when the last process has answered", "[net]") {
  TestLoop loop;
  ServerConnections connections;
  connections.opened();
  const auto one = std::make_shared<Elsewhere>();
  const auto other = std::make_shared<Elsewhere>();
  connections.add(one);
  connections.add(other);
  ExpectCalls counted(1);
  const auto second_error = GENERATE(std::error_code(), system_code(EPIPE));
  connections.count(tine::core_of(loop), [&](std::error_code error, std::size_t count) {
    counted();
    CHECK(error == second_error);
    CHECK(count == (error ? 0 : 6));
  });
  connections.remove(*one);  // its answer still counts
  one->answer({}, 2);
  CHECK(counted.count() == 0);
  other->answer(second_error, second_error ? 0 : 3);
}

TEST_CASE("server connections: without other processes, the count comes on a later turn", "[net]") {
  TestLoop loop;
  ServerConnections connections;
  connections.opened();
  ExpectCalls counted(1);
  connections.count(tine::core_of(loop), [&](std::error_code error, std::size_t count) {
    counted();
    CHECK_FALSE(error);
    CHECK(count == 1);
  });
  CHECK(counted.count() == 0);
  loop.run();
}
