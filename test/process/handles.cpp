// Handles between two ends that are both tine: few handles, and many.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

// A server on a free port, with clients in the same process.
struct Clients {
  explicit Clients(TestLoop& its_loop) : loop(its_loop), server(its_loop) {
    server.listen({.host = "127.0.0.1"});
  }

  // Connects another client, which sends nothing and reads to the end. `done` gets all bytes that
  // it has read.
  void connect(const std::function<void(const std::string&)>& done) {
    tine::Socket client(loop);
    const auto answer = std::make_shared<std::string>();
    client.on<"data">([answer](std::string_view bytes) { *answer += bytes; });
    client.on<"error">([](const tine::Error&) {});
    client.on<"close">([answer, done] { done(*answer); });
    client.connect({.host = "127.0.0.1", .port = server.address()->port});
  }

  TestLoop& loop;
  tine::Server server;
};

// Two sockets in this process that are connected with each other.
struct SocketPair {
  explicit SocketPair(tine::Loop& loop) {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    ours = tine::Socket::adopt(loop, ends[0]);
    theirs = tine::Socket::adopt(loop, ends[1]);
  }
  tine::Socket ours;
  tine::Socket theirs;
};

std::size_t resident_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss);
}

// Asks a child that runs "serve" for the number of its open descriptors, and returns it.
std::ptrdiff_t descriptors_of(TestLoop& loop, tine::ChildProcess child) {
  std::ptrdiff_t count = 0;
  child.once<"message">([&](std::ptrdiff_t answer) {
    count = answer;
    loop->stop();
  });
  child.send("descriptors");
  loop.run();
  return count;
}

}  // namespace

TEST_CASE("handles: a connection is served by a child, and closed here", "[handles]") {
  TestLoop loop;
  Clients clients(loop);
  auto child = loop.fork("serve");
  ExpectCalls closed(1);
  clients.server.on<"connection">([&](tine::Socket socket) {
    socket.on<"close">([&] { closed(); });
    CHECK(child.send("connection", socket));
    CHECK_FALSE(socket.writable());
  });
  std::string answer;
  clients.server.on<"listening">([&] {
    clients.connect([&](const std::string& text) {
      answer = text;
      clients.server.close();
      child.disconnect();
    });
  });
  loop.run();
  CHECK(answer == "served");
}

TEST_CASE("handles: a server is shared with a child, and can still be used here", "[handles]") {
  TestLoop loop;
  Clients clients(loop);
  auto child = loop.fork("serve");
  bool here = false;
  clients.server.on<"connection">([&](tine::Socket socket) {
    here = true;
    socket.end("here");
  });
  bool there = false;
  const std::function<void()> connect = [&] {
    clients.connect([&](const std::string& answer) {
      there = there || answer == "served";
      if (!here || !there) return connect();
      clients.server.close();
      child.kill();
    });
  };
  clients.server.on<"listening">([&] {
    child.send("server", clients.server);
    connect();
  });
  loop.run();
  CHECK(here);
  CHECK(there);
}

TEST_CASE("handles: with keep_open both processes have the connection", "[handles]") {
  TestLoop loop;
  auto child = loop.fork("serve");
  SocketPair pair(loop);
  std::string read;
  pair.ours.on<"data">([&](std::string_view bytes) {
    read += bytes;
    if (read == "served") pair.theirs.end(" twice");
  });
  pair.ours.on<"close">([&] { child.disconnect(); });
  child.send("write", pair.theirs, {.keep_open = true});
  loop.run();
  CHECK(read == "served twice");
}

TEST_CASE("handles: a socket with unwritten bytes is refused, and no byte is lost", "[handles]") {
  const bool keep_open = GENERATE(false, true);
  TestLoop loop;
  auto child = loop.fork("serve");
  SocketPair pair(loop);
  const std::string bytes(std::size_t{4} << 20, 'x');
  std::string read;
  ExpectCalls refused(1);
  pair.ours.on<"data">([&](std::string_view some) {
    read += some;
    if (read.size() > bytes.size() && read.ends_with("served")) pair.ours.end();
  });
  pair.ours.pause();
  pair.theirs.write(bytes.substr(1));  // without a callback
  pair.theirs.write(bytes.substr(0, 1), [&](std::error_code error) {
    CHECK_FALSE(error);
    child.send("write", pair.theirs, {.keep_open = keep_open});
    if (keep_open) pair.theirs.destroy();
  });
  child.send("write", pair.theirs, {.keep_open = keep_open}, [&](std::error_code error) {
    refused();
    CHECK(error == std::errc::resource_unavailable_try_again);
    CHECK(pair.theirs.writable());
    pair.ours.resume();
  });
  pair.ours.on<"close">([&] { child.disconnect(); });
  loop.run();
  CHECK(read == bytes + "served");
}

TEST_CASE("handles: the connections of each server at a free port are counted separately",
          "[handles]") {
  TestLoop loop;
  auto child = loop.fork("serve");
  std::deque<Clients> servers;
  std::deque<tine::Socket> clients;
  std::vector<std::size_t> counts;
  const auto count = [&] {
    for (Clients& one : servers) {
      one.server.connections([&](std::error_code error, std::size_t connections) {
        CHECK_FALSE(error);
        counts.push_back(connections);
        if (counts.size() == servers.size()) loop->stop();
      });
    }
  };
  int passed = 0;
  const auto pass = [&](tine::Socket socket) {
    child.send("write", socket);  // the child keeps it open
    if (++passed == 3) count();
  };
  for (const int connections : {1, 2}) {
    tine::Server server = servers.emplace_back(loop).server;
    server.on<"connection">(pass);
    for (int i = 0; i < connections; ++i) {
      tine::Socket& client = clients.emplace_back(loop);
      client.resume();
      client.connect({.host = "127.0.0.1", .port = server.address()->port});
    }
  }
  loop.run();
  CHECK(counts == std::vector<std::size_t>{1, 2});

  // The first server has no connections left; the second one waits for its connections.
  std::vector<int> closed;
  for (int i : {0, 1}) {
    servers[static_cast<std::size_t>(i)].server.close([&, i] {
      closed.push_back(i);
      if (i == 0) loop->stop();
    });
  }
  clients.front().destroy();
  loop.run();
  CHECK(closed == std::vector{0});
  for (tine::Socket& client : clients) client.destroy();
  child.disconnect();
  loop.run();
  CHECK(closed == std::vector{0, 1});
}

TEST_CASE("handles: an empty, closed or unknown handle is refused with an error", "[handles]") {
  TestLoop loop;
  auto child = loop.fork("serve");
  SocketPair pair(loop);
  tine::Server server(loop);
  pair.theirs.destroy();
  int refused = 0;
  const auto expect = [&](std::error_code error) {
    refused += error == tine::Errc::invalid_handle_type;
  };
  child.send("nothing", tine::Handle(), expect);
  child.send("closed", pair.theirs, expect);
  child.send("not listening", server, expect);
  child.send("empty", tine::Socket(), expect);
  pair.ours.resume();
  pair.ours.on<"close">([&] { child.disconnect(); });
  loop.run();
  CHECK(refused == 4);
}

TEST_CASE("handles: a socket that is sent twice is refused the second time", "[handles]") {
  TestLoop loop;
  auto child = loop.fork("serve");
  SocketPair pair(loop);
  std::vector<std::error_code> results;
  const auto result = [&](std::error_code error) { results.push_back(error); };
  child.send("first", pair.theirs, result);
  child.send("second", pair.theirs, result);
  pair.ours.resume();
  pair.ours.on<"close">([&] { child.disconnect(); });
  loop.run();
  REQUIRE(results.size() == 2);
  CHECK(std::count(results.begin(), results.end(), tine::Errc::invalid_handle_type) == 1);
}

TEST_CASE("handles: a handle that no listener takes is closed", "[handles]") {
  TestLoop loop;
  auto child = loop.fork("echo");
  SocketPair pair(loop);
  int left = 2;
  const auto done = [&] {
    if (--left == 0) child.disconnect();
  };
  pair.ours.resume();
  pair.ours.on<"close">(done);
  child.on<"message">(done);
  child.send("connection", pair.theirs);
  loop.run();
  CHECK(left == 0);
}

TEST_CASE("handles: the handles on their way to a child are closed if it fails", "[handles]") {
  TestLoop loop;
  auto child = loop.fork_script("kill -STOP $$; exec tail -f /dev/null");
  std::vector<SocketPair> pairs;
  int closed = 0;
  for (int i = 0; i < 10; ++i) {
    auto& pair = pairs.emplace_back(loop);
    pair.ours.resume();
    pair.ours.on<"close">([&] { ++closed; });
    child.send(i, pair.theirs, [](std::error_code) {});
  }
  child.on<"error">([](const tine::Error&) {});
  child.on<"connected">([&] { child.kill(SIGKILL); });
  loop.run();
  CHECK(closed == 10);
}

TEST_CASE("handles: all kinds of descriptors can be sent between two ends that are tine",
          "[handles]") {
  TestLoop loop;
  auto child = loop.fork("descriptors");
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const int memory = memfd_create("handed", MFD_CLOEXEC);
  const int counter = eventfd(0, EFD_CLOEXEC);
  const int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int memory_here = fcntl(memory, F_DUPFD_CLOEXEC, 0);
  child.send("fill", tine::Descriptors({ends[1], memory, counter, directory}));
  json kinds;
  child.on<"message">([&](const json& message) {
    kinds = message;
    child.disconnect();
  });
  loop.run();

  CHECK(kinds == json{"pipe", "file", "eventfd", "directory"});
  std::string text(16, ' ');
  text.resize(static_cast<std::size_t>(read(ends[0], text.data(), text.size())));
  CHECK(text == "pipe");
  text.assign(16, ' ');
  text.resize(static_cast<std::size_t>(pread(memory_here, text.data(), text.size(), 0)));
  CHECK(text == "file");
  close(ends[0]);
  close(memory_here);
}

TEST_CASE("handles: descriptors reach a child behind a shell, and one in another pid namespace",
          "[handles]") {
  const bool other_namespace = GENERATE(false, true);
  bool possible = true;
  const auto exchange = [&] {
    possible = !other_namespace || unshare(CLONE_NEWPID) == 0;
    if (!possible) return;
    TestLoop loop;
    auto child = other_namespace
                     ? loop.fork("descriptors")
                     : loop.fork_script(test_program("descriptors").string() + "; exit $?");
    child.send("look", tine::Descriptors({open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)}));
    json kinds;
    child.on<"message">([&](const json& message) {
      kinds = message;
      child.disconnect();
    });
    child.on<"error">([&](const tine::Error& error) {
      kinds = error.what();
      child.disconnect();
    });
    loop.run();
    CHECK(kinds == json{"directory"});
    CHECK(child.exit_code() == 0);
  };
  std::thread(exchange).join();  // only this thread has its children in the new namespace
  if (!possible) WARN("no pid namespace can be made here");
}

TEST_CASE("handles: 10 000 connections are served by a child, and nothing is left behind",
          "[handles]") {
  const int count = scaled(1'000, 10'000);
  constexpr int at_a_time = 50;
  TestLoop loop;
  Clients clients(loop);
  auto child = loop.fork("serve");
  clients.server.on<"connection">([&](const tine::Socket& socket) { child.send("", socket); });

  int started = 0;
  int served = 0;
  const std::function<void(int)> serve_up_to = [&](int most) {
    const auto start = [&, most](const auto& again) -> void {
      if (started == most) return;
      ++started;
      clients.connect([&, most, again](const std::string& answer) {
        served += answer == "served";
        if (served == most) return loop->stop();
        again(again);
      });
    };
    for (int i = 0; i < at_a_time; ++i) start(start);
    loop.run();
  };
  clients.server.on<"listening">([&] { loop->stop(); });
  loop.run();
  const std::size_t here = open_descriptors().size();
  const std::ptrdiff_t there = descriptors_of(loop, child);
  serve_up_to(count / 10);
  const std::size_t memory = resident_kilobytes();
  serve_up_to(count);

  CHECK(served == count);
  // The last connections may still be closing, at either end.
  const auto give_up_at = std::chrono::steady_clock::now() + deadline;
  while (descriptors_of(loop, child) != there || open_descriptors().size() != here) {
    REQUIRE(std::chrono::steady_clock::now() < give_up_at);
  }
  if (!sanitized) CHECK(resident_kilobytes() < memory + 2048);
  clients.server.close();
  child.disconnect();
  loop.run();
}

TEST_CASE("handles: a child that is killed every 100 ms leaves no client waiting", "[handles]") {
  const int kills = scaled(10, 100);
  TestLoop loop;
  Clients clients(loop);
  tine::ChildProcess child;
  int killed = 0;
  int answered = 0;
  const std::function<void()> kill = [&] {
    // On a busy machine the child may not have answered yet.
    if (answered <= killed) return static_cast<void>(loop->after(1ms, kill));
    ++killed;
    child.kill(SIGKILL);
  };
  const std::function<void()> start = [&] {
    child = loop.fork("serve");
    child.on<"error">([](const tine::Error&) {});
    child.on<"exit">([&] {
      if (killed < kills) start();
    });
    loop->after(100ms, kill);
  };
  start();
  clients.server.on<"connection">([&](tine::Socket socket) {
    socket.on<"error">([](const tine::Error&) {});
    // If the child is dead, the message is refused, and the connection is still ours.
    child.send("", socket, [socket](std::error_code error) {
      if (error) socket.destroy();
    });
  });

  int lost = 0;
  int late = 0;
  int open = 0;
  const std::function<void()> connect = [&] {
    ++open;
    clients.connect([&, since = std::chrono::steady_clock::now()](const std::string& answer) {
      ++(answer == "served" ? answered : lost);
      late += std::chrono::steady_clock::now() - since > soon;
      --open;
      if (killed < kills) return connect();
      if (open == 0) clients.server.close();
    });
  };
  clients.server.on<"listening">([&] {
    for (int i = 0; i < 20; ++i) connect();
  });
  loop.run();
  CHECK(late == 0);
}

TEST_CASE("handles: 80 children get a connection each at the same time", "[handles]") {
  constexpr int count = 80;
  TestLoop loop;
  int served = 0;
  std::vector<SocketPair> pairs;
  std::vector<tine::ChildProcess> children;
  for (int i = 0; i < count; ++i) children.push_back(loop.fork("serve"));
  for (auto& child : children) {
    auto& pair = pairs.emplace_back(loop);
    pair.ours.on<"data">([&](std::string_view bytes) { served += bytes == "served"; });
    pair.ours.on<"close">([child] { child.disconnect(); });
    child.send("connection", pair.theirs);
  }
  loop.run();
  CHECK(served == count);
}

TEST_CASE("handles: both ends send 1 000 handles to each other at the same time", "[handles]") {
  constexpr int count = 1'000;
  TestLoop loop;
  auto child = loop.fork("serve");
  int left = 2 * count;
  const auto served = [&] {
    if (--left == 0) child.disconnect();
  };
  const auto expect_served = [&](tine::Socket socket) {
    socket.on<"data">([&](std::string_view bytes) { CHECK(bytes == "served"); });
    socket.on<"close">(served);
  };
  child.on<"message">([&](int, const tine::Handle& handle) { expect_served(handle.socket()); });
  child.send({{"handles", count}});
  const std::function<void(int)> send = [&](int i) {
    if (i == count) return;
    SocketPair pair(loop);
    expect_served(pair.ours);
    child.send(i, pair.theirs);
    loop->post([&send, i] { send(i + 1); });
  };
  send(0);
  loop.run();
  CHECK(left == 0);
}

TEST_CASE("handles: 80 children send a connection each at the same time", "[handles]") {
  constexpr int count = 80;
  TestLoop loop;
  ExpectCalls answered(count);
  std::vector<tine::ChildProcess> children;
  for (int i = 0; i < count; ++i) {
    auto& child = children.emplace_back(loop.fork("handles"));
    child.send({{"do", "send connections"}, {"address", {{"host", "127.0.0.1"}}}});
    child.on<"message">([&, child](const json& message, const tine::Handle& handle) {
      if (handle) return handle.socket().end("parent");
      tine::Socket client(loop);
      client.on<"data">([&](std::string_view bytes) {
        answered();
        CHECK(bytes == "parent");
      });
      client.on<"close">([child] { child.disconnect(); });
      client.connect({.host = message["host"], .port = message["port"]});
    });
  }
  loop.run();
}
