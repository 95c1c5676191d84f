// Handles on a channel: the bytes that a raw peer gets, and the effect of the lines that it writes.
#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "channel/test_end.hpp"
#include "support/catch.hpp"
#include "support/handle_answers.hpp"
#include "support/tracked.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using tine::Errc;
using tine::channel::Wanted;

namespace {

const std::string hello = "{\"cmd\":\"NODE_TINE\"}\n";

// Returns the line of a message with a handle, as Node writes it.
std::string line_of(const std::string& message) {
  return R"({"cmd":"NODE_HANDLE","type":"net.Socket","msg":)" + message + "}\n";
}
std::string line_of(const std::string& message, std::size_t count) {
  return R"({"cmd":"NODE_HANDLE","type":"tine.Descriptors","msg":)" + message +
         ",\"count\":" + std::to_string(count) + "}\n";
}

tine::Descriptors files(int count) {
  std::vector<int> open;
  for (int i = 0; i < count; ++i) open.push_back(memfd_create("file", MFD_CLOEXEC));
  return tine::Descriptors(std::move(open));
}

bool send_file(Channel& channel, const json& message, tine::SendCallback sent = {}) {
  return channel.end.send(message, channel.passed(files(1)), std::move(sent));
}

// Runs the loop until the peer has received these bytes; it must receive no others.
void expect(Channel& channel, const std::string& bytes) {
  std::string came;
  channel.run_until([&] {
    came += channel.peer.read_available();
    return came.size() >= bytes.size();
  });
  CHECK(came == bytes);
}

void await_log(Channel& channel, std::size_t size) {
  channel.run_until([&] { return channel.log.size() >= size; });
}

// Runs the loop until the end has read everything that the peer wrote.
void await_read(Channel& channel) {
  channel.run_until([&] { return channel.peer.all_taken(); });
}

}  // namespace

// --- received handles

TEST_CASE("handles: a line may be cut anywhere if its descriptor comes with the first byte",
          "[channel]") {
  const std::string line = line_of("1");
  Channel channel;
  for (std::size_t cut = 1; cut < line.size(); ++cut) {
    channel.peer.write_with_descriptor(line.substr(0, cut), STDIN_FILENO);
    await_read(channel);
    channel.peer.write(line.substr(cut));
    expect(channel, ack);
  }
  CHECK(channel.log == Log(line.size() - 1, "1 with 1"));
  channel.run_to_end();
}

TEST_CASE("handles: a descriptor may come with any byte of its line", "[channel]") {
  const std::string line = line_of("1");
  Channel channel;
  for (std::size_t at = 1; at < line.size(); ++at) {
    channel.peer.write(line.substr(0, at));
    await_read(channel);
    channel.peer.write_with_descriptor(line.substr(at), STDIN_FILENO);
    expect(channel, ack);
  }
  CHECK(channel.log == Log(line.size() - 1, "1 with 1"));
  channel.run_to_end();
}

TEST_CASE("handles: a line may come byte by byte, with its descriptor at any byte", "[channel]") {
  const std::string line = line_of("1");
  const auto at = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{20}, std::size_t{49});
  Channel channel;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const std::string byte = line.substr(i, 1);
    i == at ? channel.peer.write_with_descriptor(byte, STDIN_FILENO) : channel.peer.write(byte);
    await_read(channel);
  }
  expect(channel, ack);
  CHECK(channel.log == Log{"1 with 1"});
  channel.run_to_end();
}

TEST_CASE("handles: a descriptor that comes before its line begins, or after it, is closed",
          "[channel]") {
  Channel channel;
  Tracked early;
  channel.peer.write_with_descriptor("0\n", early.fd());
  early.drop();
  await_log(channel, 1);
  CHECK_FALSE(early.open_somewhere());
  channel.peer.write(line_of("1"));
  expect(channel, nack);
  Tracked late;
  channel.peer.write_with_descriptor("2\n", late.fd());
  late.drop();
  await_log(channel, 2);
  CHECK_FALSE(late.open_somewhere());
  CHECK(channel.log == Log{"0", "2"});
  channel.run_to_end();
}

TEST_CASE("handles: a descriptor that comes with bytes of two lines belongs to the second line",
          "[channel]") {
  Channel channel;
  const std::string line = line_of("1");
  channel.peer.write_with_descriptor("0\n" + line.substr(0, 1), STDIN_FILENO);
  await_log(channel, 1);
  channel.peer.write(line.substr(1));
  expect(channel, ack);
  CHECK(channel.log == Log{"0", "1 with 1"});
  channel.run_to_end();
}

TEST_CASE("handles: lines and descriptors are paired in the order in which they come",
          "[channel]") {
  Channel channel;
  channel.peer.write_with_descriptors(line_of("1", 2) + line_of("2") + line_of("3", 3),
                                      {0, 1, 2, 0, 1, 2, 0});
  expect(channel, ack + ack + ack);
  CHECK(channel.log == Log{"1 with 2", "2 with 1", "3 with 3"});
  channel.run_to_end();
}

TEST_CASE("handles: a line that announces more descriptors than came gets none of them",
          "[channel]") {
  Channel channel;
  channel.peer.write_with_descriptors(line_of("1", 3), {0, 1});
  channel.peer.write_with_descriptors(line_of("2"), {0});
  expect(channel, nack + ack);
  CHECK(channel.log == Log{"2 with 1"});
  channel.run_to_end();
}

TEST_CASE("handles: a message may have as many descriptors as the kernel allows", "[channel]") {
  Channel channel({.descriptor_limit = 253});
  channel.peer.write_with_descriptors(line_of("1", 253), std::vector<int>(253, STDIN_FILENO));
  expect(channel, ack);
  CHECK(channel.log == Log{"1 with 253"});
  channel.run_to_end();
}

TEST_CASE("handles: more descriptors than descriptor_limit are closed, refused and reported",
          "[channel]") {
  Channel channel;
  Tracked tracked;
  channel.peer.write_with_descriptors(line_of("1", 17), std::vector<int>(17, tracked.fd()));
  tracked.drop();
  expect(channel, nack);
  CHECK_FALSE(tracked.open_somewhere());
  CHECK(channel.log == Log{"error"});
  CHECK(channel.owner->errors_[0].code() == Errc::handle_refused);
  channel.peer.write_with_descriptors(line_of("2", 16), std::vector<int>(16, STDIN_FILENO));
  expect(channel, ack);
  CHECK(channel.log == Log{"error", "2 with 16"});
  channel.run_to_end();
}

TEST_CASE("handles: a NODE_HANDLE line inside another, as Node repeats it, is one handle",
          "[channel]") {
  Channel channel;
  const std::string again = line_of("1");
  channel.peer.write_with_descriptor(line_of(again.substr(0, again.size() - 1)), STDIN_FILENO);
  channel.peer.write("2\n");
  await_log(channel, 2);
  CHECK(channel.peer.read_available() == ack);
  CHECK(channel.log == Log{"1 with 1", "2"});
  channel.run_to_end();
}

TEST_CASE("handles: received descriptors are close-on-exec", "[channel]") {
  Channel channel;
  const auto before = open_descriptors();
  channel.peer.write_with_descriptors(line_of("1", 2), {STDIN_FILENO, STDOUT_FILENO});
  int seen = 0;
  channel.owner->at_message_ = [&] {
    for (const auto& [fd, target] : open_descriptors()) {
      if (before.contains(fd)) continue;
      ++seen;
      CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
  };
  await_log(channel, 1);
  CHECK(seen == 2);
  channel.run_to_end();
}

TEST_CASE("handles: a handle that the listener does not keep is closed after the listener",
          "[channel]") {
  Channel channel;
  Tracked tracked;
  channel.peer.write_with_descriptor(line_of("1"), tracked.fd());
  tracked.drop();
  await_log(channel, 1);
  CHECK_FALSE(tracked.open_somewhere());
  channel.run_to_end();
}

TEST_CASE("handles: without a listener handles are answered, and wait for a listener in order",
          "[channel]") {
  Channel channel;
  channel.owner->listen(Wanted::nothing);
  channel.peer.write("1\n");
  channel.peer.write_with_descriptors(line_of("2", 2), {0, 1});
  channel.peer.write("3\n");
  channel.peer.write_with_descriptor(line_of("4"), STDIN_FILENO);
  expect(channel, ack + ack);
  CHECK(channel.log.empty());
  const Wanted late = GENERATE(Wanted::value, Wanted::text);
  channel.owner->listen(late);
  await_log(channel, 4);
  const std::string text = late == Wanted::text ? "text " : "";
  CHECK(channel.log == Log{text + "1", text + "2 with 2", text + "3", text + "4 with 1"});
  channel.run_to_end();
}

TEST_CASE("handles: at most descriptor_limit descriptors wait for a listener, and the peer waits",
          "[channel]") {
  Channel channel({.descriptor_limit = 2});
  channel.owner->listen(Wanted::nothing);
  for (const char* message : {"1", "2", "3"}) {
    channel.peer.write_with_descriptor(line_of(message), STDIN_FILENO);
  }
  channel.peer.write("4\n");
  expect(channel, ack + ack);
  CHECK_FALSE(channel.peer.all_taken());
  channel.owner->listen(Wanted::value);
  expect(channel, ack);
  await_log(channel, 4);
  CHECK(channel.log == Log{"1 with 1", "2 with 1", "3 with 1", "4"});
  channel.run_to_end();
}

TEST_CASE("handles: with a descriptor_limit of 0, reading goes on without a listener",
          "[channel]") {
  Channel channel({.descriptor_limit = 0});
  channel.owner->listen(Wanted::nothing);
  channel.peer.write("1\n");
  await_read(channel);
  channel.owner->listen(Wanted::value);
  await_log(channel, 1);
  CHECK(channel.log == Log{"1"});
  channel.run_to_end();
}

TEST_CASE("handles: stored handles are delivered after the end, or closed with the channel",
          "[channel]") {
  const bool listens = GENERATE(true, false);
  Channel channel;
  Tracked tracked;
  channel.owner->listen(Wanted::nothing);
  channel.peer.write_with_descriptor(line_of("1"), tracked.fd());
  tracked.drop();
  expect(channel, ack);
  channel.run_to_end();
  CHECK(tracked.open_somewhere());
  if (listens) channel.owner->listen(Wanted::value);
  channel.loop.run();
  CHECK(channel.log == (listens ? Log{"disconnect", "1 with 1"} : Log{"disconnect"}));
  if (!listens) channel.drop();
  CHECK_FALSE(tracked.open_somewhere());
}

TEST_CASE("handles: a handle that came before the end is delivered before it", "[channel]") {
  Channel channel;
  Tracked tracked;
  channel.peer.write_with_descriptor(line_of("1"), tracked.fd());
  tracked.drop();
  channel.peer.close();
  channel.loop.run();
  CHECK(channel.log == Log{"1 with 1", "disconnect"});
  CHECK_FALSE(tracked.open_somewhere());
}

TEST_CASE("handles: the handle of an incomplete last line is closed", "[channel]") {
  Channel channel;
  Tracked tracked;
  channel.peer.write_with_descriptor(line_of("1").substr(0, 30), tracked.fd());
  tracked.drop();
  channel.peer.close();
  channel.loop.run();
  CHECK(channel.log == Log{"disconnect"});
  channel.drop();
  CHECK_FALSE(tracked.open_somewhere());
}

// --- sent handles

TEST_CASE("handles: an answer in time counts, even if this process looks only later", "[channel]") {
  using Clock = std::chrono::steady_clock;
  Channel channel({.handle_timeout = 20ms});
  send_file(channel, 1, {});
  expect(channel, line_of("1"));
  channel.loop->post([&] {
    channel.peer.write(ack);
    for (const auto late = Clock::now() + 40ms; Clock::now() < late;) {
    }
    channel.end.send(json(2), {});
  });
  expect(channel, "2\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("handles: messages after a handle wait until it is answered", "[channel]") {
  Channel channel;
  Sent sent;
  channel.end.send(json(1), sent.callback());
  send_file(channel, 2, sent.callback());
  channel.end.send(json(3), sent.callback());
  send_file(channel, 4, sent.callback());
  channel.end.send(json(5), sent.callback());
  expect(channel, "1\n" + line_of("2"));
  CHECK(channel.peer.descriptors().size() == 1);
  channel.run_until([&] { return sent.codes.size() == 2; });  // at the write, before the answer
  channel.peer.write(ack);
  expect(channel, "3\n" + line_of("4"));
  CHECK(channel.peer.descriptors().size() == 2);
  channel.peer.write(ack);
  expect(channel, "5\n");
  channel.run_to_end();
  CHECK(sent.codes == std::vector<std::error_code>(5));
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("handles: if its message is refused, the handle stays with the sender", "[channel]") {
  Channel channel({.send_limit = 100});
  Sent sent;
  CHECK_FALSE(send_file(channel, "\xFF", sent.callback()));
  send_file(channel, 1);
  channel.end.send(json(2), {});  // it waits, so the queue is not empty and the limit applies
  CHECK_FALSE(send_file(channel, std::string(100, 'x'), sent.callback()));
  CHECK(channel.owner->taken_ == 1);
  channel.peer.write(ack);
  expect(channel, line_of("1") + "2\n");
  channel.run_to_end();
  CHECK(sent.codes == std::vector<std::error_code>{Errc::invalid_value, Errc::queue_full});
}

TEST_CASE("handles: the descriptor goes with the first byte of a line of any length", "[channel]") {
  Channel channel;
  const std::string text(800'000, 'x');
  send_file(channel, text);
  const std::string line = line_of(json(text).dump());
  channel.run_until([&] { return channel.peer.read_some(1) == "{"; });
  CHECK(channel.peer.descriptors().size() == 1);
  expect(channel, line.substr(1));
  CHECK(channel.peer.descriptors().size() == 1);
  channel.peer.write(ack);
  channel.run_to_end();
}

TEST_CASE("handles: one message may have several descriptors", "[channel]") {
  const int count = GENERATE(1, 2, 16, 253);
  Channel channel;
  channel.owner->passed_as_ = "tine.Descriptors";
  channel.peer.write(hello);
  await_read(channel);
  channel.end.send(json(1), channel.passed(files(count)), {});
  expect(channel, line_of("1", static_cast<std::size_t>(count)));
  CHECK(channel.peer.descriptors().size() == static_cast<std::size_t>(count));
  channel.run_to_end();
}

TEST_CASE(
    "handles: a handle that the peer refuses is sent again up to three times, with its descriptor",
    "[channel]") {
  const int refused = GENERATE(range(0, 11));
  Channel channel;
  send_file(channel, 1);
  channel.end.send(json(2), {});
  const int again = std::min(refused, 3);
  for (int i = 0; i < again; ++i) {
    expect(channel, line_of("1"));
    channel.peer.write(nack);
  }
  expect(channel, line_of("1"));
  for (int i = again; i < refused; ++i) channel.peer.write(nack);
  if (refused < 4) channel.peer.write(ack);
  expect(channel, "2\n");
  CHECK(channel.peer.descriptors().size() == static_cast<std::size_t>(again) + 1);
  channel.run_to_end();
  CHECK(channel.log == (refused < 4 ? Log{"disconnect"} : Log{"error", "disconnect"}));
  for (const auto& error : channel.owner->errors_) CHECK(error.code() == Errc::handle_lost);
}

TEST_CASE("handles: answers that nobody waits for are ignored: stray, repeated and early ones",
          "[channel]") {
  const std::string answer = GENERATE(ack, nack);
  Channel channel;
  channel.peer.write(answer + answer);
  await_read(channel);
  const std::string text(800'000, 'x');
  send_file(channel, text);
  channel.end.send(json(2), {});
  channel.peer.write(answer);  // the line is not fully written yet
  await_read(channel);
  expect(channel, line_of(json(text).dump()));
  channel.peer.write(ack + answer);
  expect(channel, "2\n");
  CHECK(channel.peer.descriptors().size() == 1);
  channel.run_to_end();
  CHECK(channel.log == Log{"drain", "disconnect"});
}

TEST_CASE("handles: if the peer never answers, the handle is lost, but later messages are sent",
          "[channel]") {
  Channel channel({.handle_timeout = 50ms});
  Sent sent;
  Tracked tracked;
  channel.end.send(json(1), channel.passed(tine::Descriptors({tracked.release()})),
                   sent.callback());
  channel.end.send(json(2), sent.callback());
  expect(channel, line_of("1") + "2\n");
  channel.peer.close_descriptors();
  CHECK_FALSE(tracked.open_somewhere());
  channel.peer.write(ack);  // too late, so it does not count
  await_log(channel, 1);
  channel.run_to_end();
  CHECK(sent.codes == std::vector<std::error_code>(2));
  CHECK(channel.log == Log{"error", "disconnect"});
  CHECK(channel.owner->errors_.at(0).code() == Errc::handle_lost);
}

TEST_CASE("handles: messages after a handle keep the loop running, its answer alone does not",
          "[channel]") {
  const bool behind = GENERATE(true, false);
  Channel channel({.handle_timeout = behind ? 50ms : 10'000ms});
  channel.end.set_ref(false);
  send_file(channel, 1);
  if (behind) channel.end.send(json(2), {});
  channel.loop.run();
  CHECK(channel.peer.read_available() == line_of("1") + (behind ? "2\n" : ""));
  CHECK(channel.log == (behind ? Log{"error"} : Log{}));
  channel.run_to_end();
}

TEST_CASE("handles: each handle without an answer is an error", "[channel]") {
  Channel channel({.handle_timeout = 1ms});
  send_file(channel, 1);
  send_file(channel, 2);
  channel.end.send(json(3), {});
  expect(channel, line_of("1") + line_of("2") + "3\n");
  await_log(channel, 2);
  channel.run_to_end();
  CHECK(channel.log == Log{"error", "error", "disconnect"});
}

TEST_CASE("handles: a handle of the peer is answered while ours waits for its answer",
          "[channel]") {
  Channel channel;
  send_file(channel, 1);
  channel.end.send(json(2), {});
  expect(channel, line_of("1"));
  channel.peer.write_with_descriptor(line_of("3"), STDIN_FILENO);
  expect(channel, ack);
  channel.peer.write(ack);
  expect(channel, "2\n");
  CHECK(channel.log == Log{"3 with 1"});
  channel.run_to_end();
}

TEST_CASE("handles: an answer is written between lines, also when the socket is full",
          "[channel]") {
  const bool with_handle = GENERATE(true, false);
  Channel channel;
  const std::string text(800'000, 'x');
  const json message(text);
  with_handle ? send_file(channel, message) : channel.end.send(message, {});
  channel.end.send(json(2), {});
  channel.peer.write_with_descriptor(line_of("3"), STDIN_FILENO);
  await_log(channel, 1);
  const std::string first = with_handle ? line_of(message.dump()) : message.dump() + "\n";
  expect(channel, first + ack + (with_handle ? "" : "2\n"));
  if (with_handle) {
    channel.peer.write(ack);
    expect(channel, "2\n");
  }
  channel.run_to_end();
}

TEST_CASE("handles: the answer to a handle is written together with the reply to its message",
          "[channel]") {
  Channel channel;
  std::string before;
  channel.owner->at_internal_ = [&] {
    before = channel.peer.read_available();
    channel.end.send_internal(json{{"cmd", "NODE_Y"}});
    channel.loop->stop();
  };
  channel.peer.write_with_descriptor(line_of(R"({"cmd":"NODE_X"})"), STDIN_FILENO);
  channel.loop.run();
  CHECK(before.empty());
  CHECK(channel.peer.read_available() == ack + "{\"cmd\":\"NODE_Y\"}\n");
  channel.run_to_end();
}

// --- descriptors, which only tine understands

TEST_CASE("handles: descriptors wait until the peer has announced that it is tine", "[channel]") {
  Channel channel;
  channel.owner->passed_as_ = "tine.Descriptors";
  channel.end.send(json(1), {});
  channel.end.send(json(2), channel.passed(files(2)), {});
  channel.end.send(json(3), {});
  expect(channel, "1\n");
  channel.peer.write(hello);
  expect(channel, line_of("2", 2));
  channel.peer.write(ack);
  expect(channel, "3\n");
  channel.run_to_end();
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("handles: descriptors are an error if the peer sends another message first",
          "[channel]") {
  const bool known_before = GENERATE(true, false);
  const bool with_callback = GENERATE(true, false);
  Channel channel;
  Sent sent;
  channel.owner->passed_as_ = "tine.Descriptors";
  const auto peer_sends_message = [&] {
    channel.peer.write("0\n");
    await_log(channel, 1);
  };
  if (known_before) peer_sends_message();
  Tracked tracked;
  const auto callback = [&] { return with_callback ? sent.callback() : tine::SendCallback(); };
  channel.end.send(json(1), channel.passed(tine::Descriptors({tracked.release()})), callback());
  channel.end.send(json(2), channel.passed(files(1)), callback());
  channel.end.send(json(3), {});
  if (!known_before) peer_sends_message();
  expect(channel, "3\n");
  CHECK_FALSE(tracked.open_somewhere());
  CHECK(channel.peer.descriptors().empty());
  channel.run_to_end();
  const std::vector<std::error_code> codes(2, Errc::invalid_handle_type);
  if (with_callback) CHECK(sent.codes == codes);
  const std::size_t errors = with_callback ? 0 : 1;  // one error for all handles of a turn
  REQUIRE(channel.owner->errors_.size() == errors);
  CHECK(channel.log.size() == errors + 2);
  for (const auto& error : channel.owner->errors_) {
    CHECK(error.code() == Errc::invalid_handle_type);
    CHECK_THAT(error.what(), StartsWith("2 handle(s)"));
    CHECK_THAT(error.what(), ContainsSubstring("only a peer that is tine takes them"));
  }
}

TEST_CASE("handles: descriptors are an error if the peer sends nothing for handle_timeout",
          "[channel]") {
  Channel channel({.handle_timeout = 50ms});
  Sent sent;
  channel.owner->passed_as_ = "tine.Descriptors";
  Tracked tracked;
  channel.end.send(json(1), channel.passed(tine::Descriptors({tracked.release()})),
                   sent.callback());
  channel.end.send(json(2), sent.callback());
  expect(channel, "2\n");
  CHECK_FALSE(tracked.open_somewhere());
  channel.run_to_end();
  CHECK(sent.codes == std::vector<std::error_code>{Errc::invalid_handle_type, {}});
}

TEST_CASE("handles: drain follows when descriptors that the queue waited for are given up",
          "[channel]") {
  const bool peer_speaks = GENERATE(true, false);
  Channel channel({.send_mark = 20, .handle_timeout = peer_speaks ? 10'000ms : 50ms});
  Sent sent;
  channel.owner->passed_as_ = "tine.Descriptors";
  CHECK_FALSE(channel.end.send(json(1), channel.passed(files(1)), sent.callback()));
  if (peer_speaks) channel.peer.write("0\n");
  await_log(channel, peer_speaks ? 2 : 1);
  CHECK(channel.log.back() == "drain");
  CHECK(sent.codes == std::vector<std::error_code>{Errc::invalid_handle_type});
  channel.run_to_end();
}

TEST_CASE("handles: the memory of a handle counts for send_mark until its line is written",
          "[channel]") {
  Channel channel({.send_limit = 200});
  const auto handle_of = [&](std::size_t memory) {
    tine::channel::PassedHandle handle = channel.passed(files(1));
    handle.memory = memory;
    return handle;
  };
  constexpr std::size_t large = 1'000'000'000;
  CHECK(channel.end.send(json(1), handle_of(large), {}));  // written at once
  CHECK_FALSE(channel.end.send(json(2), handle_of(large), {}));
  CHECK_FALSE(channel.end.send(json(3), {}));  // not refused: the limit is for lines
  CHECK(channel.end.queued() < 200);
  expect(channel, line_of("1"));
  CHECK(channel.log.empty());
  channel.peer.write(nack);
  expect(channel, line_of("1"));
  CHECK(channel.log.empty());
  channel.peer.write(ack);
  expect(channel, line_of("2"));
  await_log(channel, 1);
  CHECK(channel.log == Log{"drain"});
  CHECK(channel.end.send(json(4), {}));
  channel.run_to_end();
}

TEST_CASE("handles: the memory of a handle that is given up does not count any more", "[channel]") {
  Channel channel;
  channel.owner->passed_as_ = "tine.Descriptors";
  tine::channel::PassedHandle handle = channel.passed(files(1));
  handle.memory = 1'000'000'000;
  CHECK_FALSE(channel.end.send(json(1), std::move(handle), [](std::error_code) {}));
  channel.peer.write("0\n");
  await_log(channel, 2);
  CHECK(channel.log == Log{"0", "drain"});
  CHECK(channel.end.send(json(2), {}));
  channel.run_to_end();
}

// First the line waits until the peer has announced that it is tine; then it waits for the answer.
TEST_CASE(
    "handles: handle_timeout for the answer begins when the peer has announced that it is tine",
    "[channel]") {
  using Clock = std::chrono::steady_clock;
  Channel channel({.handle_timeout = 1s});
  channel.owner->passed_as_ = "tine.Descriptors";
  channel.end.send(json(1), channel.passed(files(2)), {});
  Clock::time_point announced;
  channel.loop->after(100ms, [&] {
    announced = Clock::now();
    channel.peer.write(hello);
  });
  await_log(channel, 1);
  CHECK(Clock::now() - announced >= 990ms);
  CHECK(channel.owner->errors_.at(0).code() == Errc::handle_lost);
  channel.run_to_end();
}

// --- the end

TEST_CASE("handles: disconnect() waits for the answers, and writes the messages after them",
          "[channel]") {
  Channel channel;
  Sent sent;
  send_file(channel, 1, sent.callback());
  channel.end.send(json(2), sent.callback());
  send_file(channel, 3, sent.callback());
  channel.end.disconnect();
  CHECK_FALSE(channel.end.connected());
  expect(channel, line_of("1"));
  channel.peer.write(ack);
  expect(channel, "2\n" + line_of("3"));
  CHECK_FALSE(channel.peer.at_end());
  channel.peer.write(ack);
  channel.loop.run();
  CHECK(channel.peer.at_end());
  CHECK(sent.codes == std::vector<std::error_code>(3));
  CHECK(channel.log == Log{"disconnect"});
}

TEST_CASE("handles: disconnect() waits for an answer only as long as for a write", "[channel]") {
  const auto handle_timeout = GENERATE(10'000ms, 0ms);
  Channel channel({.handle_timeout = handle_timeout, .flush_timeout = 50ms});
  Sent sent;
  send_file(channel, 1, sent.callback());
  channel.end.send(json(2), sent.callback());
  channel.end.disconnect();
  channel.loop.run();
  CHECK(channel.peer.read_available() == line_of("1") + "2\n");
  CHECK(channel.peer.at_end());
  CHECK(sent.codes == std::vector<std::error_code>(2));
  CHECK(channel.log == Log{"error", "disconnect"});
}

TEST_CASE("handles: descriptors for a peer that is not tine do not delay disconnect()",
          "[channel]") {
  Channel channel;
  channel.owner->passed_as_ = "tine.Descriptors";
  channel.peer.write("0\n");
  await_log(channel, 1);
  channel.end.send(json(1), channel.passed(files(1)), {});
  channel.end.disconnect();
  channel.loop.run();
  CHECK(channel.peer.at_end());
  CHECK(channel.log == Log{"0", "error", "disconnect"});
}

TEST_CASE("handles: when the peer ends, waiting handles are closed and reported as not written",
          "[channel]") {
  Channel channel;
  Sent sent;
  Tracked first;
  Tracked second;
  channel.end.send(json(1), channel.passed(tine::Descriptors({first.release()})), sent.callback());
  channel.end.send(json(2), channel.passed(tine::Descriptors({second.release()})), sent.callback());
  channel.end.send(json(3), sent.callback());
  expect(channel, line_of("1"));
  CHECK(first.open_somewhere());
  CHECK(second.open_somewhere());
  channel.run_to_end();
  CHECK_FALSE(first.open_somewhere());
  CHECK_FALSE(second.open_somewhere());
  const auto gone = std::make_error_code(std::errc::broken_pipe);
  CHECK(sent.codes == std::vector<std::error_code>{{}, gone, gone});
}

TEST_CASE("handles: without the loop, messages after a handle are written once it is answered",
          "[channel]") {
  Channel channel({.flush_timeout = std::chrono::hours(1)});
  send_file(channel, 1);
  channel.end.send(json(2), {});
  Tracked stray;
  channel.peer.write_with_descriptor("0\n", stray.fd());
  stray.drop();
  channel.peer.write(ack);
  channel.end.write_all_now();
  CHECK(channel.peer.read_available() == line_of("1") + "2\n");
  CHECK_FALSE(stray.open_somewhere());
  channel.run_to_end();
  CHECK(channel.log == Log{"disconnect"});  // all other messages that came are dropped
}

TEST_CASE(
    "handles: without the loop, descriptors go to a peer that announces only now that it is tine",
    "[channel]") {
  Channel channel({.flush_timeout = 20ms});
  channel.owner->passed_as_ = "tine.Descriptors";
  channel.end.send(json(1), channel.passed(files(3)), {});
  channel.peer.write(hello);
  channel.end.write_all_now();
  CHECK(channel.peer.read_available() == line_of("1", 3));
  channel.run_to_end();
}

TEST_CASE("handles: without the loop, an answer that has already been read counts", "[channel]") {
  Channel channel({.flush_timeout = std::chrono::hours(1)});
  send_file(channel, 1);
  channel.end.send(json(2), {});
  channel.owner->at_message_ = [&] { channel.end.write_all_now(); };
  channel.peer.write("0\n" + ack);  // in one write
  await_log(channel, 1);
  CHECK(channel.peer.read_available() == line_of("1") + "2\n");
  channel.run_to_end();
}

TEST_CASE(
    "handles: without the loop, messages after a handle without an answer are written in the end",
    "[channel]") {
  const std::string type = GENERATE(as<std::string>{}, "net.Socket", "tine.Descriptors");
  Channel channel({.handle_timeout = 20ms, .flush_timeout = std::chrono::hours(1)});
  channel.owner->passed_as_ = type;
  channel.end.send(json(1), channel.passed(files(1)), {});
  channel.end.send(json(2), {});
  channel.end.write_all_now();
  CHECK_THAT(channel.peer.read_available(), EndsWith("2\n"));
  channel.run_to_end();
}

TEST_CASE("handles: without the loop, nobody waits for an answer of a peer that is gone",
          "[channel]") {
  Channel channel({.flush_timeout = 10s});
  send_file(channel, 1);
  channel.end.send(json(2), {});
  channel.peer.half_close();
  channel.end.write_all_now();
  CHECK(channel.peer.read_available() == line_of("1"));  // the message after it is not written
  channel.run_to_end();
}
