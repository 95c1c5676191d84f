// Handles that come with messages, and peers that break the rules of handles.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/handle_answers.hpp"
#include "support/invariants.hpp"
#include "support/raw_peer.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"
#include "support/tracked.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using tine::Errc;
using Log = std::vector<std::string>;

namespace {

// Returns the line of a message with a handle, as Node writes it.
std::string line_of(const std::string& message, const std::string& type = "net.Socket") {
  return R"({"cmd":"NODE_HANDLE","type":")" + type + R"(","msg":)" + message + "}\n";
}
std::string line_of(const std::string& message, std::size_t count) {
  return R"({"cmd":"NODE_HANDLE","type":"tine.Descriptors","msg":)" + message +
         ",\"count\":" + std::to_string(count) + "}\n";
}

// Returns a connection that can be sent. Its other end is closed.
tine::Socket socket_of(TestLoop& loop) {
  Tracked one;
  return tine::Socket::adopt(loop, one.release());
}

// Logs the messages and errors of a child.
void log_messages_and_errors(tine::ChildProcess& child, Log& log) {
  child.on<"message">([&log](const json& message, const tine::Handle& handle) {
    log.push_back(message.dump() + (handle ? " with a handle" : ""));
  });
  child.on<"error">([&log](const tine::Error& error) { log.push_back(error.code().message()); });
}

std::string text_of(Errc error) { return make_error_code(error).message(); }

// Checks that the child of a raw parent still works, and has no descriptor left over.
void check_survivor(RawParent& parent, std::string unread = "") {
  parent.channel().write("\"survive\"\n");
  parent.channel().expect(unread + "{\"left\":0}\n");
  parent.channel().write("\"disconnect\"\n");
  CHECK(parent.channel().read_to_end().empty());
  CHECK(parent.wait() == 0);
}

// A guard: while it lives, this process may have as many descriptors as the system allows.
class ManyDescriptors {
 public:
  ManyDescriptors() {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit most{before_.rlim_max, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &most) == 0);
  }
  ~ManyDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("row 19: answers that no handle waits for are ignored", "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(
      loop.fork("raw", {.args = {"send", nack + ack + "\"ready\"\n", "expect", line_of("1"), "send",
                                 ack + ack + nack, "expect", "2\n", "taken", "1", "await-end"}}));
  log_messages_and_errors(child, log);
  child.once<"message">([&] {
    child.send(1, socket_of(loop), invariants.sent());
    child.send(2, invariants.sent());
    child.disconnect();
  });
  loop.run();
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  CHECK(log == Log{"\"ready\""});
  CHECK(invariants.successes() == 2);
  invariants.check();
}

TEST_CASE("row 19: under a raw parent, early, stray and repeated answers are ignored", "[rows]") {
  const TestLoop checks_what_is_left;
  RawParent parent("handover");
  parent.channel().write(ack + nack + R"({"give":"socket","message":1})" + "\n{\"send\":2}\n");
  parent.channel().expect(line_of("1"));
  CHECK(parent.channel().descriptors().size() == 1);
  parent.channel().write(ack + ack + nack);
  parent.channel().expect("2\n");
  check_survivor(parent);
}

TEST_CASE("row 20: if a peer never answers, the handle is lost, and nothing else", "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork(
      "raw",
      {.args = {"expect", line_of("1") + "2\n" + line_of("3") + "4\n", "taken", "2", "await-end"},
       .channel = {.handle_timeout = 50ms}}));
  log_messages_and_errors(child, log);
  child.send(1, socket_of(loop), invariants.sent());
  child.send(2, invariants.sent());
  child.send(3, socket_of(loop), invariants.sent());
  child.send(4, invariants.sent());
  child.disconnect();
  loop.run();
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  CHECK(log == Log(2, text_of(Errc::handle_lost)));
  CHECK(invariants.successes() == 4);
  invariants.check();
}

TEST_CASE("row 20: under a raw parent that never answers, a child still ends", "[rows]") {
  const std::string way = GENERATE(as<std::string>{}, "\"disconnect\"", "{\"exit\":3}", "\"deaf\"");
  const TestLoop checks_what_is_left;
  RawParent parent("handover", {R"({"handle_timeout":50,"flush_timeout":50})"});
  parent.channel().write(R"({"give":"socket","message":1})"
                         "\n{\"send\":2}\n" +
                         way + "\n");
  const std::string all = parent.channel().read_to_end();
  CHECK_THAT(all, StartsWith(line_of("1") + "2\n"));
  CHECK(parent.wait() == (way == "{\"exit\":3}" ? 3 : 0));
}

TEST_CASE("row 21: a refused handle is sent four times, and later messages are sent", "[rows]") {
  const int refused = GENERATE(range(1, 11));
  TestLoop loop;
  Invariants invariants(loop);
  std::vector<std::string> steps;
  const auto step = [&](const char* what, const std::string& text) {
    steps.insert(steps.end(), {what, text});
  };
  const int again = std::min(refused, 3);
  for (int i = 0; i < again; ++i) {
    step("expect", line_of("1"));
    step("send", nack);
  }
  step("expect", line_of("1"));
  for (int i = again; i < refused; ++i) step("send", nack);
  if (refused < 4) step("send", ack);
  step("expect", "2\n");
  step("taken", std::to_string(again + 1));
  Tracked tracked;
  Log log;
  auto child = invariants.watch(loop.fork("raw", {.args = steps}));
  log_messages_and_errors(child, log);
  child.send(1, tine::Socket::adopt(loop, tracked.release()), invariants.sent());
  child.send(2, invariants.sent());
  loop.run();
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  CHECK(log == (refused < 4 ? Log{} : Log{text_of(Errc::handle_lost)}));
  CHECK(invariants.successes() == 2);
  CHECK_FALSE(tracked.open_somewhere());
  invariants.check();
}

TEST_CASE("row 22: under a raw parent, a line without its descriptor is not delivered", "[rows]") {
  const TestLoop checks_what_is_left;
  RawParent parent("handover");
  RawPeer& channel = parent.channel();
  const std::string got = R"({"got":1,"kind":"socket"})"
                          "\n";
  Tracked tracked;
  channel.write(line_of("1"));  // no descriptor
  channel.expect(nack);
  channel.write_with_descriptor("0\n", tracked.fd());  // too early: it comes with the line before
  channel.expect(R"({"got":0,"kind":null})"
                 "\n");
  channel.write(line_of("1"));
  channel.expect(nack);
  channel.write_with_descriptor("0\n", tracked.fd());  // too late: it comes with the line after
  channel.expect(R"({"got":0,"kind":null})"
                 "\n");
  tracked.drop();
  CHECK(tracked.ends_within(10'000));  // while the channel is still open
  Tracked other;
  channel.write_with_descriptor(line_of("1"), other.fd());
  channel.expect(ack + got);
  check_survivor(parent);
}

TEST_CASE("row 22: under a raw parent, a message may have many descriptors", "[rows]") {
  const std::size_t count = GENERATE(as<std::size_t>{}, 2, 16, 17, 252, 253);
  const TestLoop checks_what_is_left;
  RawParent parent("handover", {R"({"descriptor_limit":252})"});
  Tracked tracked;
  parent.channel().write_with_descriptors(line_of("1", count),
                                          std::vector<int>(count, tracked.fd()));
  tracked.drop();
  if (count <= 252) {
    parent.channel().expect(ack + R"({"got":1,"kind":)" + std::to_string(count) + "}\n");
  } else {
    parent.channel().expect(nack + R"({"error":")" + text_of(Errc::handle_refused) + "\"}\n");
  }
  CHECK(tracked.ends_within(10'000));
  check_survivor(parent);
}

TEST_CASE("row 22: unwanted descriptors, one with each message, are closed at once", "[rows]") {
  const int count = scaled(1000, 10'000);
  TestLoop loop;
  Invariants invariants(loop);
  auto child =
      invariants.watch(loop.fork("raw", {.args = {"strays", std::to_string(count), "await-end"}}));
  const std::size_t before = open_descriptors().size();
  std::size_t most = 0;
  int in_order = 0;
  child.on<"message">([&](int number) {
    in_order += number == in_order;
    if (number % 100 == 0) most = std::max(most, open_descriptors().size());
    if (in_order == count) child.disconnect();
  });
  loop.run();
  CHECK(in_order == count);
  CHECK(most <= before + tine::ChannelOptions{}.descriptor_limit);
  invariants.check();
}

TEST_CASE("row 23: a descriptor that does not match its line is answered, closed and reported",
          "[rows]") {
  const std::string kind = GENERATE(as<std::string>{}, "file", "directory", "pipe", "tty", "epoll",
                                    "memfd", "packets", "udp", "listening", "socket");
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  std::vector<std::string> types{"net.Socket",        "net.Server",   "net.BoundSocket",
                                 "net.Native",        "dgram.Socket", "dgram.Native",
                                 "tine.SharedBuffer", "__proto__",    ""};
  std::erase_if(types, [&](const std::string& type) {
    if (kind == "udp") return type.starts_with("dgram");
    if (kind == "listening") return type.starts_with("net.") && type != "net.Socket";
    return kind == "socket" &&
           (type == "net.Socket" || type == "net.Server" || type == "net.Native");
  });
  std::vector<std::string> steps;
  for (const std::string& type : types) {
    for (const std::string& each : {std::string("give"), kind, std::string("1"), line_of("1", type),
                                    std::string("expect"), ack}) {
      steps.push_back(each);
    }
  }
  auto child = invariants.watch(loop.fork("raw", {.args = steps}));
  log_messages_and_errors(child, log);
  loop.run();
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  CHECK(log == Log(types.size(), text_of(Errc::invalid_handle_type)));
  invariants.check();
}

TEST_CASE("row 23: a useless socket is delivered, and does no harm", "[rows]") {
  const std::string kind = GENERATE(as<std::string>{}, "channel", "closed", "unconnected");
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork(
      "raw", {.args = {"give", kind, "1", line_of("1"), "expect", ack, "expect", "2\n"}}));
  log_messages_and_errors(child, log);
  child.on<"message">([&](const json&, const tine::Handle& handle) {
    if (kind == "channel") {  // a Socket would make the child's reads non-blocking
      child.send(2, invariants.sent());
      return;
    }
    tine::Socket socket = handle.socket();
    REQUIRE(socket);
    socket.on<"error">([](const tine::Error&) {});
    loop->after(0ms, [&, socket] {
      socket.destroy();
      child.send(2, invariants.sent());
    });
  });
  loop.run();
  CHECK(log == Log{"1 with a handle"});
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  invariants.check();
}

TEST_CASE("row 24: descriptors on their way to a process that dies or closes are closed",
          "[rows]") {
  const bool dies = GENERATE(true, false);
  const TestLoop checks_what_is_left;
  RawParent parent("handover");
  parent.channel().write("\"here\"\n");
  parent.channel().expect(R"({"got":"here","kind":null})"
                          "\n");
  parent.kill(SIGSTOP);
  parent.channel().write("\"disconnect\"\n");
  Tracked tracked;
  for (int i = 0; i < 8; ++i) {
    parent.channel().write_with_descriptors("1\n", std::vector<int>(250, tracked.fd()));
  }
  tracked.drop();
  CHECK(tracked.open_somewhere());
  parent.kill(dies ? SIGKILL : SIGCONT);
  CHECK(parent.wait() == (dies ? -SIGKILL : 0));
  CHECK(tracked.ends_within(10'000));
}

TEST_CASE("row 24: descriptors that wait for a child that dies are closed here", "[rows]") {
  TestLoop loop;
  const ManyDescriptors many;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork("handover", {.args = {R"({"descriptor_limit":250})"}}));
  log_messages_and_errors(child, log);
  Tracked tracked;
  const tine::Descriptors open(std::vector<int>(1, tracked.release()));
  child.send("here");
  child.once<"message">([&] {
    child.kill(SIGSTOP);
    std::vector<int> copies;
    for (int i = 0; i < 250; ++i) copies.push_back(dup(open.get(0)));
    const tine::Descriptors all(copies);
    for (int i = 0; i < 8; ++i) child.send(i, all, invariants.sent());
    child.kill(SIGKILL);
  });
  loop.run();
  CHECK((child.exit_status() == tine::ExitStatus{.signal = SIGKILL}));
  CHECK(log == Log{R"({"got":"here","kind":null})"});
  CHECK(invariants.successes() == 1);
  CHECK(invariants.failures() == 7);
  invariants.check();
}

TEST_CASE("row 24: if the kernel allows no more descriptors in flight, the next handle is an error",
          "[rows]") {
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork("handover"));
  log_messages_and_errors(child, log);
  const std::string too_many = std::make_error_code(static_cast<std::errc>(ETOOMANYREFS)).message();
  // The orders for the child, the last one first. Each is sent when the previous one has been
  // answered.
  std::vector<json> orders{"disconnect",  {{"give", 1}, {"message", 3}}, "empty",
                           {{"send", 2}}, {{"give", 1}, {"message", 1}}, "fill",
                           {{"free", 6}}};
  // The kernel's limit applies to the descriptors in flight of all processes of a user together,
  // except for root. The program changes its user itself, because only root may be able to run the
  // program at its place.
  const int user = 20'000 + getpid() % 40'000;
  const bool privileged = geteuid() == 0;
  if (privileged) orders.push_back({{"user", user}});
  const auto order = [&] {
    child.send(orders.back(), invariants.sent());
    orders.pop_back();
  };
  child.on<"message">(order);
  order();
  loop.run();
  Log expected{R"({"free":6})",
               json{{"filled", too_many}}.dump(),
               json{{"error", too_many}}.dump(),
               "2",
               "\"emptied\"",
               "3 with a handle"};
  if (privileged) expected.insert(expected.begin(), json{{"user", user}}.dump());
  CHECK(log == expected);
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  invariants.check();
}

TEST_CASE("row 25: without free descriptors a handle is refused, and comes again later", "[rows]") {
  const std::size_t free = GENERATE(as<std::size_t>{}, 0, 1, 2, 3);
  if (sanitized) return;  // UBSan needs a free descriptor to inspect objects
  const TestLoop checks_what_is_left;
  RawParent parent("handover");
  RawPeer& channel = parent.channel();
  const std::string number = std::to_string(free);
  channel.write("{\"free\":" + number + "}\n");
  channel.expect("{\"free\":" + number + "}\n");
  Tracked tracked;
  const std::vector<int> three(3, tracked.fd());
  const std::string got = R"({"got":1,"kind":3})"
                          "\n";
  channel.write_with_descriptors(line_of("1", 3), three);
  if (free < 3) {
    channel.expect(nack);
    channel.write("{\"free\":null}\n");
    channel.expect("{\"free\":null}\n");
    channel.write_with_descriptors(line_of("1", 3), three);
  }
  channel.expect(ack + got);
  tracked.drop();
  CHECK(tracked.ends_within(10'000));
  channel.write("{\"free\":null}\n");
  check_survivor(parent, "{\"free\":null}\n");
}

TEST_CASE("row 40: disconnect() writes messages queued behind handles, once, whenever it is called",
          "[rows]") {
  const std::string when = GENERATE(as<std::string>{}, "at once", "twice", "in a message");
  TestLoop loop;
  Invariants invariants(loop);
  Log log;
  auto child = invariants.watch(loop.fork(
      "raw", {.args = {"expect", line_of("1"), "send", "\"now\"\n" + ack, "expect",
                       "2\n" + line_of("3"), "send", ack, "expect", "4\n", "await-end"}}));
  log_messages_and_errors(child, log);
  child.on<"message">([&] {
    if (when == "in a message") child.disconnect();
  });
  child.send(1, socket_of(loop), invariants.sent());
  child.send(2, invariants.sent());
  child.send(3, socket_of(loop), invariants.sent());
  child.send(4, invariants.sent());
  if (when != "in a message") child.disconnect();
  if (when == "twice") child.disconnect();
  loop.run();
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  CHECK(invariants.successes() == 4);
  CHECK(log == Log{"\"now\""});
  invariants.check();
}

TEST_CASE("row 40: under a raw parent, a child that ends writes the messages queued behind handles",
          "[rows]") {
  const std::string way = GENERATE(as<std::string>{}, "\"disconnect\"", "{\"exit\":3}", "\"deaf\"");
  const TestLoop checks_what_is_left;
  RawParent parent("handover");
  RawPeer& channel = parent.channel();
  const std::string give = R"({"give":"socket","message":)";
  channel.write(give + "1}\n{\"send\":2}\n" + give + "3}\n{\"send\":4}\n" + way + "\n");
  channel.expect(line_of("1"));
  channel.write(ack);
  channel.expect("2\n" + line_of("3"));
  channel.write(nack);
  channel.expect(line_of("3"));
  channel.write(ack);
  channel.expect("4\n");
  CHECK(channel.descriptors().size() == 3);
  CHECK(channel.read_to_end().empty());
  CHECK(parent.wait() == (way == "{\"exit\":3}" ? 3 : 0));
}

TEST_CASE("row 40: many sends of several descriptors go both ways between two ends that are tine",
          "[rows]") {
  const int count = scaled(100, 1000);
  TestLoop loop;
  Invariants invariants(loop);
  auto child = invariants.watch(loop.fork("handover"));
  Tracked tracked;
  const tine::Descriptors open({dup(tracked.fd()), dup(tracked.fd()), dup(tracked.fd())});
  int got = 0;
  int given = 0;
  child.on<"message">([&](const json& message, const tine::Handle& handle) {
    if (handle) {
      given += handle.descriptors().size() == 2 && message == given;
    } else {
      got += message == json{{"got", got}, {"kind", 3}};
    }
    if (got == count && given == count) child.disconnect();
  });
  for (int i = 0; i < count; ++i) {
    child.send(i, open, invariants.sent());
    child.send({{"give", 2}, {"message", i}}, invariants.sent());
  }
  loop.run();
  CHECK(got == count);
  CHECK(given == count);
  CHECK(invariants.successes() == 2 * count);
  invariants.check();
}
