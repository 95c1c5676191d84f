// Tests which worker gets a connection, and when another worker gets it.
#include "cluster/distributor.hpp"

#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "base/sockets.hpp"
#include "base/system_code.hpp"
#include "net/bound_socket.hpp"
#include "net/socket_address.hpp"
#include "support/catch.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using tine::Balancing;
using tine::cluster::Distributor;

namespace {

// A distributor at a port of its own. It logs the workers that get connections.
struct Distribution {
  explicit Distribution(Balancing balancing = Balancing::round_robin())
      : distributor(
            loop, {nullptr, tine::base::duplicate(socket.get())}, 10, std::move(balancing),
            [this](int worker, const tine::base::Descriptor&) {
              handed.push_back(worker);
              return std::optional<std::uint64_t>(handed.size());
            },
            [this](const tine::Error& error) {
              errors.push_back(error.code());
              loop->stop();
            },
            10ms) {}

  // Connects a client, and waits long enough for a worker to get the connection.
  void connect() {
    tine::Socket& client = clients.emplace_back(loop);
    client.on<"connect">([this] { settle(); });
    client.on<"error">([](const tine::Error&) {});
    client.connect({.host = "127.0.0.1", .port = distributor.share().address->port});
    loop.run();
  }

  // Stops the loop when all connections have come and the distributor's patience has run out.
  void settle() {
    loop->after(20ms, [this] { loop->stop(); });
  }
  void wait() {
    settle();
    loop.run();
  }

  ~Distribution() {
    for (tine::Socket& client : clients) client.destroy();
  }

  TestLoop loop;
  tine::base::Descriptor socket =
      tine::net::bound_socket(*tine::net::ip_address("127.0.0.1", 0), {.type = SOCK_STREAM});
  std::vector<int> handed;
  std::vector<std::error_code> errors;
  Distributor distributor;
  std::vector<tine::Socket> clients;
};

using Handed = std::vector<int>;

}  // namespace

TEST_CASE("distributor: a connection on its way to a worker goes to no other worker", "[cluster]") {
  const bool choice = GENERATE(false, true);
  Distribution test(choice ? Balancing::by([](const auto&, const auto&) { return 0u; })
                           : Balancing::round_robin());
  test.distributor.add(1);
  test.distributor.add(2);
  test.connect();
  test.wait();
  CHECK(test.handed == Handed{1});
}

TEST_CASE("distributor: a choice leaves out a worker that has not answered", "[cluster]") {
  Distribution test(Balancing::by([](const auto&, const auto&) { return 0u; }));
  test.distributor.add(1);
  test.distributor.add(2);
  test.connect();
  test.connect();
  CHECK(test.handed == Handed{1, 2});
  test.distributor.answered(1, 1, true);
  test.distributor.answered(2, 2, true);
  test.connect();
  CHECK(test.handed == Handed{1, 2, 1});
}

TEST_CASE("distributor: if no worker has answered, a choice waits until one of them does",
          "[cluster]") {
  Distribution test(Balancing::by([](const auto&, const auto&) { return 0u; }));
  test.distributor.add(1);
  test.connect();
  test.connect();
  test.wait();
  CHECK(test.handed == Handed{1});
  test.distributor.answered(1, 1, true);
  CHECK(test.handed == Handed{1, 1});
}

TEST_CASE("distributor: a worker that leaves keeps a connection that it may still take",
          "[cluster]") {
  Distribution test;
  test.distributor.add(1);
  test.distributor.add(2);
  test.connect();
  REQUIRE(test.handed == Handed{1});
  CHECK_FALSE(test.distributor.remove(1));
  test.wait();
  CHECK(test.handed == Handed{1});

  SECTION("the worker takes the connection") {
    test.distributor.answered(1, 1, true);
    test.distributor.worker_ended(1);
    CHECK(test.handed == Handed{1});
  }
  SECTION("the worker refuses the connection, or did not get it") {
    test.distributor.answered(1, 1, false);
    CHECK(test.handed == Handed{1, 2});
  }
  SECTION("the worker has ended") {
    test.distributor.worker_ended(1);
    CHECK(test.handed == Handed{1, 2});
  }
  SECTION("another worker answers for the connection") {
    test.distributor.answered(2, 1, false);
    test.distributor.worker_ended(2);
    CHECK(test.handed == Handed{1});
  }
}

TEST_CASE("distributor: a socket that was shut down elsewhere is reported, and no longer shared",
          "[cluster]") {
  Distribution test;
  test.distributor.add(1);
  REQUIRE(::shutdown(test.socket.get(), SHUT_RD) == 0);
  test.loop.run();
  test.wait();
  CHECK(test.errors == std::vector<std::error_code>{tine::base::system_code(EINVAL)});
  CHECK_THROWS_AS(test.distributor.share(), tine::Error);
  CHECK(test.distributor.has(1));
}
