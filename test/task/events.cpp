// receive() and once().
#include <filesystem>
#include <string>
#include <vector>

#include "task/task_test.hpp"

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

tine::Task<std::vector<json>> receive_all(tine::ChildProcess child, Frame = {}) {
  std::vector<json> all;
  while (auto message = co_await tine::receive(child)) all.push_back(std::move(*message));
  co_return all;
}

}  // namespace

TEST_CASE("receive: all messages come, in order, then nullopt", "[task]") {
  TaskLoop loop;
  auto child = loop.fork_script(R"(i=0; while [ $i -lt 100 ]; do echo $i; i=$((i+1)); done >&3)");
  const auto all = tine::run(loop, receive_all(child));
  REQUIRE(all.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(all[static_cast<std::size_t>(i)] == i);
  loop.run();
}

TEST_CASE("receive: messages that were stored when the channel ended come first", "[task]") {
  TaskLoop loop;
  auto child = loop.fork_script("echo 1 >&3; echo 2 >&3; echo 3 >&3");
  loop.run();
  CHECK(child.closed());
  CHECK(tine::run(loop, receive_all(child)) == std::vector<json>{1, 2, 3});
  CHECK(tine::run(loop, receive_all(child)).empty());
}

// So many bad lines are delivered over several turns.
TEST_CASE("receive: stored messages come first, even if bad lines are in front of them", "[task]") {
  TaskLoop loop;
  ExpectCalls closed(1);
  auto child = loop.fork_script("yes x | head -n 8000 >&3; echo 1 >&3; echo 2 >&3");
  child.on<"close">([&] { closed(); });
  loop.run();
  child.on<"error">(
      [](const tine::Error& error) { CHECK(error.code() == tine::Errc::bad_message); });
  CHECK(tine::run(loop, receive_all(child)) == std::vector<json>{1, 2});
}

TEST_CASE("receive: a stored message comes first, even if a bad line in front of it is thrown",
          "[task]") {
  TaskLoop loop;
  auto child = loop.fork_script("echo x >&3; echo 1 >&3");
  loop.run();
  std::vector<json> all;
  tine::start(loop, [&]() -> tine::Task<> { all = co_await receive_all(child); });
  CHECK_THROWS_AS(loop.run(), tine::Error);
  CHECK(all.empty());
  loop.run();
  CHECK(all == std::vector<json>{1});
}

TEST_CASE("receive: of a child whose loop is gone it is nullopt", "[task]") {
  TaskLoop loop;
  TestLoop other;
  auto child = other.fork_script("echo 1 >&3");
  other.run();
  other.destroy();
  CHECK(tine::run(loop, receive_all(child)).empty());
}

TEST_CASE("receive: messages wait between two receives", "[task]") {
  TaskLoop loop;
  auto child = loop.fork_script("echo 1 >&3; echo 2 >&3; echo 3 >&3");
  const auto slowly = [&](Frame = {}) -> tine::Task<std::vector<int>> {
    std::vector<int> all;
    while (const auto value = co_await tine::receive<int>(child)) {
      all.push_back(*value);
      co_await tine::once<"close">(child);
    }
    co_return all;
  };
  CHECK(tine::run(loop, slowly()) == std::vector{1, 2, 3});
}

TEST_CASE("receive: a message of another type is thrown, and the next one comes", "[task]") {
  TaskLoop loop;
  auto child = loop.fork_script(R"(echo '"text"' >&3; echo 2 >&3)");
  const auto two = [&](Frame = {}) -> tine::Task<int> {
    std::error_code thrown;
    try {
      co_await tine::receive<int>(child);
    } catch (const tine::Error& error) {
      thrown = error.code();
    }
    CHECK(thrown == tine::Errc::message_type);
    co_return (co_await tine::receive<int>(child)).value();
  };
  CHECK(tine::run(loop, two()) == 2);
  loop.run();
}

TEST_CASE("receive: within() leaves the next message to the next receive", "[task]") {
  TaskLoop loop;
  auto child = loop.fork("echo");
  const auto two = [&](Frame = {}) -> tine::Task<json> {
    std::error_code thrown;
    try {
      co_await tine::receive(child).within(5ms);
    } catch (const tine::Error& error) {
      thrown = error.code();
    }
    CHECK(thrown == tine::Errc::timed_out);
    child.send("late");
    auto message = co_await tine::receive(child).within(1h);
    child.disconnect();
    co_return message.value();
  };
  CHECK(tine::run(loop, two()) == "late");
  loop.run();
}

TEST_CASE("receive: nothing is resumed inside a listener of the message", "[task]") {
  TaskLoop loop;
  auto child = loop.fork("echo");
  bool in_listener = false;
  child.on<"message">([&] { in_listener = true; });
  const auto watch = [&](Frame = {}) -> tine::Task<> {
    co_await tine::receive(child);
    CHECK_FALSE(in_listener);
    child.disconnect();
  };
  child.on<"message">([&] { in_listener = true; });
  // Runs after all listeners of the message, and before what is due later.
  tine::start(loop, watch());
  const auto subscription = std::make_shared<tine::Subscription>();
  loop->after(1ms, [&, subscription] {
    *subscription = child.on<"message">([&] { in_listener = false; });
    child.send(1);
  });
  loop.run();
}

TEST_CASE("receive: of a child that cannot be started it is nullopt", "[task]") {
  TaskLoop loop;
  auto child = tine::fork(loop, "/no/such/program");
  std::string text;
  child.on<"error">([&](const tine::Error& error) { text = error.what(); });
  CHECK(tine::run(loop, receive_all(child)).empty());
  loop.run();
  CHECK_THAT(text, ContainsSubstring("/no/such/program"));
}

TEST_CASE("receive: another listener gets the messages too", "[task]") {
  TaskLoop loop;
  ExpectCalls heard(2);
  auto child = loop.fork_script("echo 1 >&3; echo 2 >&3");
  child.on<"message">([&] { heard(); });
  const auto first = [&](Frame = {}) -> tine::Task<json> {
    co_return (co_await tine::receive(child)).value();
  };
  CHECK(tine::run(loop, first()) == 1);
  loop.run();
}

TEST_CASE("once: nothing, an argument or a tuple comes of an event", "[task]") {
  TaskLoop loop;
  const Bell bell;
  const auto all = [&](Frame = {}) -> tine::Task<> {
    const auto [number, text] = co_await tine::once<"ring">(bell);
    CHECK(number == 1);
    CHECK(text == "one");
    const int second = co_await tine::once<"number">(bell);
    CHECK(second == 2);
    co_await tine::once<"stop">(bell);
    const std::string bytes = co_await tine::once<"bytes">(bell);
    CHECK(bytes == "a copy");
    const tine::Error error = co_await tine::once<"error">(bell);
    CHECK(error.code() == tine::Errc::queue_full);
  };
  const auto ring = [&](Frame = {}) -> tine::Task<> {
    co_await tine::sleep(1ms);
    bell.emit<"ring">(1, std::string("one"));
    co_await tine::sleep(1ms);
    bell.emit<"number">(2);
    co_await tine::sleep(1ms);
    bell.emit<"stop">();
    co_await tine::sleep(1ms);
    {
      const std::string text = "a copy";
      bell.emit<"bytes">(std::string_view(text));
    }
    co_await tine::sleep(1ms);
    bell.emit<"error">(tine::Error(tine::Errc::queue_full));
  };
  tine::run(loop, tine::all(all(), ring()));
  CHECK(bell.listeners() == 0);
}

TEST_CASE("once: an error before the event is thrown", "[task]") {
  TaskLoop loop;
  const Bell bell;
  loop->after(1ms, [&] {
    bell.emit<"error">(tine::Error(tine::Errc::queue_full));
    bell.emit<"number">(1);
  });
  const auto wait = [&](Frame = {}) -> tine::Task<int> {
    co_return co_await tine::once<"number">(bell);
  };
  CHECK(error_of(loop, wait()) == tine::Errc::queue_full);
  CHECK(bell.listeners() == 0);
}

TEST_CASE("once: of two events in one turn it returns the first", "[task]") {
  TaskLoop loop;
  const Bell bell;
  loop->after(1ms, [&] {
    bell.emit<"number">(1);
    bell.emit<"number">(2);
  });
  const auto wait = [&](Frame = {}) -> tine::Task<int> {
    co_return co_await tine::once<"number">(bell);
  };
  CHECK(tine::run(loop, wait()) == 1);
}

TEST_CASE("once: the end of a child may have come already", "[task]") {
  TaskLoop loop;
  auto child = loop.fork_script("exit 3");
  const auto end = [&](Frame = {}) -> tine::Task<> {
    for (int i = 0; i < 2; ++i) {
      CHECK(child.closed() == (i == 1));
      const tine::ExitStatus exited = co_await tine::once<"exit">(child);
      CHECK(exited.code == 3);
      const tine::ExitStatus closed = co_await tine::once<"close">(child);
      CHECK(closed.code == 3);
      co_await tine::once<"disconnect">(child);
    }
  };
  tine::run(loop, end());
}

TEST_CASE("once: a child that cannot be started throws its error", "[task]") {
  TaskLoop loop;
  auto child = tine::fork(loop, "/no/such/program");
  const auto wait = [&](Frame = {}) -> tine::Task<> { co_await tine::once<"spawn">(child); };
  CHECK(error_of(loop, wait()) == std::errc::no_such_file_or_directory);
  loop.run();
}

TEST_CASE("once: it works for all that have events", "[task]") {
  TaskLoop loop;
  const auto serve = [&](Frame = {}) -> tine::Task<std::string> {
    tine::Server server(loop);
    server.listen({.host = "127.0.0.1"});
    co_await tine::once<"listening">(server);
    tine::Socket client(loop);
    client.connect({.host = "127.0.0.1", .port = server.address().value().port});
    tine::Socket peer = co_await tine::once<"connection">(server);
    peer.end("bytes");
    std::string bytes = co_await tine::once<"data">(client);
    client.end();
    server.close();
    co_await tine::once<"close">(server);
    co_return bytes;
  };
  CHECK(tine::run(loop, serve()) == "bytes");
  loop.run();
}
