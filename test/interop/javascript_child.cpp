// A C++ parent and a JavaScript child pass handles to each other. The child runs handles_child.js
// with the runtime that TINE_TEST_RUNTIME names, and the serialization that TINE_TEST_SERIALIZATION
// names. The tags [bun] and [deno] mark the tests that these runtimes pass too.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/resource.h>

#include "interop/serialization.hpp"
#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/no_descriptors.hpp"
#include "support/test_loop.hpp"

using nlohmann::json;

namespace {

// The child, and those of its messages that the test has not taken yet.
class Child {
 public:
  explicit Child(TestLoop& loop, std::vector<std::string> args = {}) : loop_(loop) {
    const char* const runtime = std::getenv("TINE_TEST_RUNTIME");
    tine::ForkOptions options;
    options.exec_path = runtime == nullptr ? "node" : runtime;
    if (options.exec_path.ends_with("deno")) options.exec_args = {"run", "-A"};
    options.args = std::move(args);
    options.serialization = serialization_of_test();
    options.kill_with_loop = true;  // so that a failed test leaves no child behind
    process =
        tine::fork(loop, std::filesystem::path(INTEROP_SCRIPTS) / "handles_child.js", options);
    process.on<"message">([this](const json& message, const tine::Handle& handle) {
      came_.emplace_back(message, handle);
      if (waiting_) loop_->stop();
    });
  }

  void command(const json& message) { process.send(message); }
  void command(const char* what) { command({{"do", what}}); }
  void command(const char* what, const tine::Handle& handle, tine::SendOptions options = {}) {
    process.send({{"do", what}}, handle, options);
  }

  // Waits for the next message. Returns it and its handle.
  std::pair<json, tine::Handle> next_with_handle() {
    waiting_ = true;
    while (came_.empty()) loop_.run();
    waiting_ = false;
    auto first = came_.front();
    came_.pop_front();
    return first;
  }

  json next() {
    auto [message, handle] = next_with_handle();
    CHECK_FALSE(handle);
    return message;
  }

  // Ends a test: everything that is still open must end now. The server is closed after the
  // disconnect, when no more messages about it are sent, because Deno does not notice the end of a
  // channel to which it has written meanwhile.
  void end(tine::Server server = {}) {
    process.disconnect();
    if (server) server.close();
    loop_.run();
    CHECK(came_.empty());
    CHECK(process.exit_code() == 0);
  }

  tine::ChildProcess process;

 private:
  TestLoop& loop_;
  std::deque<std::pair<json, tine::Handle>> came_;
  bool waiting_ = false;
};

// A client that connects and collects the bytes that come.
class Client {
 public:
  Client(TestLoop& loop, const json& address) : loop_(loop) {
    tine::Socket socket(loop);
    socket.on<"data">([came = came_](std::string_view bytes) { came->text += bytes; });
    socket.on<"close">([came = came_, &loop] {
      came->closed = true;
      if (came->waited_for) loop->stop();
    });
    socket.connect({.host = address.value("host", ""),
                    .port = address.value("port", std::uint16_t{0}),
                    .path = address.value("path", "")});
  }

  bool closed() const { return came_->closed; }

  // Waits until the connection is closed. Returns all bytes that have come.
  std::string answer() {
    came_->waited_for = true;
    while (!came_->closed) loop_.run();
    return came_->text;
  }

 private:
  struct Came {
    std::string text;
    bool closed = false;
    bool waited_for = false;
  };

  TestLoop& loop_;
  std::shared_ptr<Came> came_ = std::make_shared<Came>();
};

std::string answer_at(TestLoop& loop, const json& address) {
  return Client(loop, address).answer();
}

json to_json(const tine::Address& address) {
  if (address.family == tine::Family::unix_path) return {{"path", address.host}};
  return {{"host", address.host}, {"port", address.port}};
}

// Returns an address to listen at. The test then runs once with TCP and once with a path.
json any_address(const Folder& folder) {
  const bool at_path = GENERATE(false, true);
  return at_path ? json{{"path", folder.at("a")}} : json{{"host", "127.0.0.1"}, {"port", 0}};
}

// Returns another name for a path, a hard link, which stays when the server that made the path
// removes it.
json kept(const json& address) {
  if (!address.contains("path")) return address;
  const auto path = address["path"].get<std::string>();
  const std::string other = path + ".kept";
  std::filesystem::create_hard_link(path, other);
  return {{"path", other}};
}

// Returns a listening server of this process.
tine::Server listen(TestLoop& loop, const json& address = {{"host", "127.0.0.1"}}) {
  tine::Server server(loop);
  server.once<"listening">([&] { loop->stop(); });
  server.listen({.host = address.value("host", ""), .path = address.value("path", "")});
  loop.run();
  return server;
}

json address_of(const tine::Server& server) { return to_json(*server.address()); }

// Waits for a client of the server, and returns its connection.
tine::Socket accept(TestLoop& loop, tine::Server& server) {
  tine::Socket accepted;
  server.once<"connection">([&](const tine::Socket& socket) {
    accepted = socket;
    loop->stop();
  });
  while (!accepted) loop.run();
  return accepted;
}

std::size_t count(TestLoop& loop, const tine::Server& server) {
  std::optional<std::size_t> result;
  server.connections([&](std::error_code error, std::size_t connections) {
    CHECK_FALSE(error);
    result = connections;
    loop->stop();
  });
  while (!result) loop.run();
  return *result;
}

// Sends a datagram, and returns the one that comes back.
std::string datagram_answer_at(TestLoop& loop, const json& address, const std::string& text) {
  tine::Datagram socket(loop, tine::Family::ipv4);
  std::string answer;
  socket.on<"message">([&](std::string_view bytes) {
    answer = bytes;
    loop->stop();
  });
  socket.send(text, {.host = address["host"], .port = address["port"]});
  while (answer.empty()) loop.run();
  socket.close();
  return answer;
}

void limit_descriptors(int pid, rlim_t most) {
  rlimit limit{};
  prlimit(pid, RLIMIT_NOFILE, nullptr, &limit);
  limit.rlim_cur = std::min(most, limit.rlim_max);
  prlimit(pid, RLIMIT_NOFILE, &limit, nullptr);
}

// The parent answers first. After the parent has closed its own server, the child answers.
void share_server(const json& at) {
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop, at);
  server.on<"connection">([](tine::Socket socket) { socket.end("parent"); });
  const json address = kept(address_of(server));

  child.command("serve", server);
  CHECK(child.next() == "serving");
  child.process.kill(SIGSTOP);
  CHECK(answer_at(loop, address) == "parent");
  child.process.kill(SIGCONT);

  server.close();
  CHECK(answer_at(loop, address) == "child");
  child.end();
}

}  // namespace

TEST_CASE("to javascript: a server is served by both, until one closes its own", "[bun][deno]") {
  share_server({{"host", "127.0.0.1"}});
}

// Deno's server breaks after the first client, whether the parent is Node or tine.
TEST_CASE("to javascript: a server at a path is served by both, until one closes its own",
          "[bun]") {
  const Folder folder;
  share_server({{"path", folder.at("a")}});
}

TEST_CASE("to javascript: a server goes on here when the child closes its own", "[bun][deno]") {
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);
  server.on<"connection">([](tine::Socket socket) { socket.end("parent"); });

  child.command("serve", server);
  CHECK(child.next() == "serving");
  child.command("stop serving");
  CHECK(child.next() == "stopped");
  for (int i = 0; i < 5; ++i) CHECK(answer_at(loop, address_of(server)) == "parent");

  child.end(server);
}

TEST_CASE("to javascript: a connection is answered by the child", "[bun][deno]") {
  const Folder folder;
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop, any_address(folder));
  ExpectCalls closed(1);

  Client client(loop, address_of(server));
  tine::Socket socket = accept(loop, server);
  socket.on<"close">([&] { closed(); });
  child.command("answer", socket);
  CHECK(client.answer() == "child");

  child.end(server);
}

TEST_CASE("to javascript: a connection that is kept open is written by both", "[bun][deno]") {
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);

  Client client(loop, address_of(server));
  tine::Socket socket = accept(loop, server);
  child.command("write", socket, {.keep_open = true});
  CHECK(child.next() == "written");
  socket.end(" and parent");
  CHECK(client.answer() == "child and parent");

  child.end(server);
}

TEST_CASE("to javascript: a UDP socket receives at both, and each may close its own",
          "[bun][deno]") {
  TestLoop loop;
  Child child(loop);
  tine::Datagram socket(loop, tine::Family::ipv4);
  socket.once<"listening">([&] { loop->stop(); });
  socket.bind({.host = "127.0.0.1"});
  loop.run();
  socket.on<"message">([=](std::string_view bytes, const tine::Address& from) {
    socket.send("parent got " + std::string(bytes), from);
  });
  const json address = to_json(*socket.address());

  child.command("receive", socket);
  CHECK(child.next() == "receiving");
  child.process.kill(SIGSTOP);
  CHECK(datagram_answer_at(loop, address, "one") == "parent got one");
  child.process.kill(SIGCONT);
  child.command("stop receiving");
  CHECK(child.next() == "stopped");
  CHECK(datagram_answer_at(loop, address, "two") == "parent got two");

  child.command("receive", socket);
  CHECK(child.next() == "receiving");
  socket.close();
  CHECK(datagram_answer_at(loop, address, "three") == "child got three");
  child.end();
}

// Deno loses a handle whose line it reads together with the line before.
TEST_CASE("to javascript: of three messages only the middle one has the handle", "[bun]") {
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);

  child.command({{"do", "report"}, {"number", 1}});
  child.process.send({{"do", "report"}, {"number", 2}}, server);
  child.command({{"do", "report"}, {"number", 3}});
  CHECK(child.next() == json{{"number", 1}, {"with", nullptr}});
  CHECK(child.next() == json{{"number", 2}, {"with", "server"}});
  CHECK(child.next() == json{{"number", 3}, {"with", nullptr}});

  child.end(server);
}

TEST_CASE("to javascript: a connection that is sent twice is refused the second time",
          "[bun][deno]") {
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);
  ExpectCalls refused(1);

  Client client(loop, address_of(server));
  tine::Socket socket = accept(loop, server);
  child.command("answer", socket);
  child.process.send({{"do", "answer"}}, socket, [&](std::error_code error) {
    refused();
    CHECK(error == tine::Errc::invalid_handle_type);
  });
  child.command("report");
  CHECK(child.next() == json{{"number", 0}, {"with", nullptr}});
  CHECK(client.answer() == "child");

  child.end(server);
}

TEST_CASE("to javascript: 800 004 bytes and a connection go there and come back", "[bun][deno]") {
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);
  const std::string payload(800'004, 'x');

  Client client(loop, address_of(server));
  child.process.send({{"do", "send back"}, {"payload", payload}}, accept(loop, server));
  const auto [message, handle] = child.next_with_handle();
  CHECK((message["payload"] == payload));  // in parentheses, because it is too long to be printed
  handle.socket().end("parent");
  CHECK(client.answer() == "parent");

  child.end(server);
}

// In JSON, the objects that stand for values of JavaScript are plain ones, and come back too.
TEST_CASE("to javascript: values of all kinds go there beside a handle and come back", "[node]") {
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);
  const json sent{{"do", "send back"},
                  {"list", {{{"x", 1}}, {{"$ref", "1/0"}}, {{"$ref", "2"}}}},
                  {"map", {{"$map", {{1, {{"$date", 0}}}}}}},
                  {"nothing", {{"$undefined", true}}}};

  child.process.send(sent, server);
  const auto [message, handle] = child.next_with_handle();
  CHECK(message == sent);
  handle.server().close();

  child.end(server);
}

// Not with Deno, which loses handles that follow each other, as above.
TEST_CASE("to javascript: both pass servers at the same time", "[bun]") {
  constexpr int count = 50;
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);

  child.command({{"do", "send servers"}, {"count", count}});
  for (int number = 0; number < count; ++number) {
    child.process.send({{"do", "report"}, {"number", number}}, server);
  }
  int from_child = 0;
  int taken_by_child = 0;
  while (from_child < count || taken_by_child < count) {
    const auto [message, handle] = child.next_with_handle();
    if (handle) {
      CHECK(message == json{{"number", from_child++}});
      handle.server().close();
    } else {
      CHECK(message == json{{"number", taken_by_child++}, {"with", "server"}});
    }
  }

  child.end(server);
}

// Bun does not read until there is a listener, so the handle would not be answered.
TEST_CASE("to javascript: a handle waits for the first listener", "[deno]") {
  TestLoop loop;
  tine::Server waker = listen(loop);
  tine::Server server = listen(loop);
  Child child(loop, {std::to_string(waker.address()->port)});
  tine::Socket to_child = accept(loop, waker);

  // Message 1 is written after the child has reported that the handle has arrived.
  child.command("report", server);
  child.process.send({{"do", "report"}, {"number", 1}}, [&](std::error_code) { loop->stop(); });
  loop.run();
  to_child.end("now");
  CHECK(child.next() == json{{"number", 0}, {"with", "server"}});
  CHECK(child.next() == json{{"number", 1}, {"with", nullptr}});

  waker.close();
  child.end(server);
}

// Bun does not count connections, and Deno counts them with other keys.
TEST_CASE("to javascript: connections are counted here while the child has them", "[node]") {
  constexpr std::size_t most = 4;
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);
  std::deque<Client> clients;

  for (std::size_t i = 0; i < most; ++i) {
    clients.emplace_back(loop, address_of(server));
    child.command("hold", accept(loop, server));
    CHECK(child.next() == "held");
  }
  for (std::size_t left = most; left > 0; --left) {
    CHECK(count(loop, server) == left);
    child.command("release");
    CHECK(child.next() == "released");
  }
  CHECK(count(loop, server) == 0);

  child.end(server);
}

TEST_CASE("to javascript: close() of a server waits for the connections of the child", "[node]") {
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);
  ExpectCalls closed(1);

  std::deque<Client> clients;
  for (int i = 0; i < 2; ++i) {
    clients.emplace_back(loop, address_of(server));
    child.command("hold", accept(loop, server));
    CHECK(child.next() == "held");
  }
  server.close([&] {
    closed();
    loop->stop();
  });
  child.command("release");
  CHECK(child.next() == "released");
  child.command("report");  // the child's messages about the server arrive before its answer
  child.next();
  CHECK(closed.count() == 0);
  child.command("release");
  while (closed.count() == 0) loop.run();
  CHECK(child.next() == "released");
  child.end();
}

TEST_CASE("to javascript: a child that is gone has no connections any more", "[bun][deno]") {
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);
  ExpectCalls counted(1);
  ExpectCalls closed(1);

  Client client(loop, address_of(server));
  child.command("hold", accept(loop, server));
  CHECK(child.next() == "held");
  child.process.kill(SIGSTOP);
  server.connections([&](std::error_code error, std::size_t) {
    counted();
    CHECK(error == tine::Errc::closed_before_reply);
  });
  server.close([&] { closed(); });
  child.process.kill(SIGKILL);
  loop.run();

  CHECK(client.closed());
}

TEST_CASE("to javascript: queued handles are closed when the child exits", "[bun][deno]") {
  constexpr int count = 10;
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);
  std::deque<Client> clients;
  std::deque<tine::Socket> accepted;
  for (int i = 0; i < count; ++i) {
    clients.emplace_back(loop, address_of(server));
    accepted.push_back(accept(loop, server));
  }
  ExpectCalls called(count);
  ExpectCalls late(1);

  child.command("exit");
  for (const tine::Socket& socket : accepted) {
    child.process.send({{"do", "hold"}}, socket, [&](std::error_code) { called(); });
  }
  server.close();
  child.process.on<"close">([&] {
    const bool taken = child.process.send("late", accepted.front(), [&](std::error_code error) {
      late();
      CHECK(error == tine::Errc::channel_closed);
    });
    CHECK_FALSE(taken);
  });
  loop.run();

  for (const Client& client : clients) CHECK(client.closed());
}

TEST_CASE("to javascript: a socket that a closed channel refuses stays open", "[bun][deno]") {
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);
  ExpectCalls refused(1);

  Client client(loop, address_of(server));
  tine::Socket socket = accept(loop, server);
  server.close();
  child.process.on<"close">([&] {
    child.process.send("late", socket, [&](std::error_code error) {
      refused();
      CHECK(error == tine::Errc::channel_closed);
      socket.end("parent");
    });
  });
  child.end();

  CHECK(client.answer() == "parent");
}

TEST_CASE("to javascript: a handle is sent again if the child had no descriptor for it", "[node]") {
  TestLoop loop;
  Child child(loop);
  tine::Server server = listen(loop);
  Client client(loop, address_of(server));
  tine::Socket socket = accept(loop, server);
  child.command("report");  // the answer shows that the child runs
  child.next();

  limit_descriptors(*child.process.pid(), 4);
  child.command("answer", socket);
  child.process.once<"message">([&] { limit_descriptors(*child.process.pid(), 1024); });
  CHECK(child.next() == "no descriptor");
  CHECK(client.answer() == "child");

  child.end(server);
}

TEST_CASE("to javascript: NODE_TINE is ignored", "[bun][deno]") {
  TestLoop loop;
  Child child(loop);

  child.command({{"cmd", "NODE_TINE"}});
  child.command("report");
  CHECK(child.next() == json{{"number", 0}, {"with", nullptr}});
  child.end();
}

TEST_CASE("to javascript: a shared buffer is refused, and messages go on", "[bun][deno]") {
  TestLoop loop;
  Child child(loop);
  child.command("report");  // the answer shows that the child runs
  child.next();

  std::vector<std::error_code> sent;
  child.process.send({{"do", "report"}, {"number", 1}}, tine::SharedBuffer("bytes"),
                     [&](std::error_code error) { sent.push_back(error); });
  child.command({{"do", "report"}, {"number", 2}});
  CHECK(child.next() == json{{"number", 2}, {"with", nullptr}});
  CHECK(sent == std::vector<std::error_code>{tine::Errc::invalid_handle_type});
  child.end();
}

TEST_CASE("from javascript: a server is served by both, until one closes its own", "[bun][deno]") {
  const Folder folder;
  TestLoop loop;
  Child child(loop);

  child.command({{"do", "send server"}, {"address", any_address(folder)}});
  const auto [address, handle] = child.next_with_handle();
  tine::Server server = handle.server();
  server.on<"connection">([](tine::Socket socket) { socket.end("parent"); });
  child.process.kill(SIGSTOP);
  CHECK(answer_at(loop, address) == "parent");
  child.process.kill(SIGCONT);

  child.command("stop serving");
  CHECK(child.next() == "stopped");
  CHECK(answer_at(loop, address) == "parent");
  child.end(server);
}

// Deno closes a server that it has sent.
TEST_CASE("from javascript: a server goes on there when it is closed here", "[bun]") {
  TestLoop loop;
  Child child(loop);

  child.command({{"do", "send server"}, {"address", {{"host", "127.0.0.1"}, {"port", 0}}}});
  const auto [address, handle] = child.next_with_handle();
  handle.server().close();
  CHECK(answer_at(loop, address) == "child");
  child.end();
}

TEST_CASE("from javascript: a connection is answered by the parent", "[bun][deno]") {
  const Folder folder;
  TestLoop loop;
  Child child(loop);

  child.command({{"do", "send connections"}, {"address", any_address(folder)}});
  Client client(loop, child.next());
  const auto [message, handle] = child.next_with_handle();
  CHECK(message == "connection");
  handle.socket().end("parent");
  CHECK(client.answer() == "parent");
  child.end();
}

TEST_CASE("from javascript: a connection that is kept open is written by both", "[bun][deno]") {
  TestLoop loop;
  Child child(loop);

  child.command({{"do", "send connections"},
                 {"address", {{"host", "127.0.0.1"}, {"port", 0}}},
                 {"keepOpen", true}});
  Client client(loop, child.next());
  const auto [message, handle] = child.next_with_handle();
  tine::Socket socket = handle.socket();
  socket.write("parent and ", [&](std::error_code) {
    socket.destroy();
    child.command("end held");
  });
  CHECK(client.answer() == "parent and child");
  child.end();
}

TEST_CASE("from javascript: a UDP socket receives at both, and each may close its own",
          "[bun][deno]") {
  TestLoop loop;
  Child child(loop);

  child.command("send datagram");
  const auto [address, handle] = child.next_with_handle();
  tine::Datagram socket = handle.datagram();
  socket.on<"message">([=](std::string_view bytes, const tine::Address& from) {
    socket.send("parent got " + std::string(bytes), from);
  });
  child.process.kill(SIGSTOP);
  CHECK(datagram_answer_at(loop, address, "one") == "parent got one");
  child.process.kill(SIGCONT);
  child.command("stop receiving");
  CHECK(child.next() == "stopped");
  CHECK(datagram_answer_at(loop, address, "two") == "parent got two");

  socket.close();
  child.end();
}

TEST_CASE("from javascript: connections are counted there while the parent has them", "[node]") {
  constexpr int most = 4;
  TestLoop loop;
  Child child(loop);
  child.command({{"do", "send connections"}, {"address", {{"host", "127.0.0.1"}, {"port", 0}}}});
  const json address = child.next();
  std::deque<Client> clients;
  std::deque<tine::Socket> held;

  for (int i = 0; i < most; ++i) {
    clients.emplace_back(loop, address);
    held.push_back(child.next_with_handle().second.socket());
  }
  for (int left = most; left > 0; --left) {
    child.command("count");
    CHECK(child.next() == json{{"count", left}, {"error", ""}});
    held.front().on<"close">([&] { loop->stop(); });
    held.front().destroy();
    held.pop_front();
    loop.run();
  }
  child.command("count");
  CHECK(child.next() == json{{"count", 0}, {"error", ""}});
  child.end();
}

TEST_CASE("from javascript: close() of a server waits for the connections of the parent",
          "[node]") {
  TestLoop loop;
  Child child(loop);
  child.command({{"do", "send connections"}, {"address", {{"host", "127.0.0.1"}, {"port", 0}}}});
  Client client(loop, child.next());
  tine::Socket socket = child.next_with_handle().second.socket();

  child.command("stop serving");
  child.command("report");
  CHECK(child.next() == json{{"number", 0}, {"with", nullptr}});  // "stopped" has not come yet
  socket.end("parent");
  CHECK(child.next() == "stopped");
  CHECK(client.answer() == "parent");
  child.end();
}

TEST_CASE("from javascript: a handle that nobody takes is closed", "[bun][deno]") {
  TestLoop loop;
  Child child(loop);
  child.command({{"do", "send connections"}, {"address", {{"host", "127.0.0.1"}, {"port", 0}}}});
  Client client(loop, child.next());

  CHECK(child.next_with_handle().first == "connection");
  CHECK(client.answer().empty());
  child.end();
}

// When Node sends a handle again, it writes the old line inside the new one.
TEST_CASE("from javascript: a connection is sent again if there was no descriptor for it",
          "[node]") {
  TestLoop loop;
  Child child(loop);
  child.command({{"do", "send connections"}, {"address", {{"host", "127.0.0.1"}, {"port", 0}}}});
  Client client(loop, child.next());
  tine::Socket socket;
  {
    const NoDescriptors starving;
    const auto [message, handle] = child.next_with_handle();
    CHECK(message == "connection");
    socket = handle.socket();
  }
  CHECK(child.next() == "refused");
  socket.end("parent");
  CHECK(client.answer() == "parent");
  child.end();
}
