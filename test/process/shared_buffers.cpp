// Shared buffers between two processes, and peers that break the rules.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "base/sealed_memory.hpp"
#include "support/catch.hpp"
#include "support/handle_answers.hpp"
#include "support/invariants.hpp"
#include "support/raw_peer.hpp"
#include "support/scale.hpp"
#include "support/test_loop.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using tine::SharedBuffer;
using tine::base::Descriptor;

namespace {

tine::ForkOptions with(tine::Serialization serialization) {
  tine::ForkOptions options;
  options.serialization = serialization;
  return options;
}

// Runs the loop until the child has answered, and returns the answer and its buffer.
struct Answer {
  json message;
  SharedBuffer buffer;
};
Answer next(TestLoop& loop, tine::ChildProcess child) {
  Answer answer;
  child.once<"message">([&](json message, SharedBuffer buffer) {
    answer = {std::move(message), std::move(buffer)};
    loop->stop();
  });
  loop.run();
  return answer;
}
Answer ask(TestLoop& loop, tine::ChildProcess child, const json& message,
           const SharedBuffer& buffer) {
  child.send(message, buffer);
  return next(loop, child);
}

void end(TestLoop& loop, tine::ChildProcess child) {
  child.disconnect();
  loop.run();
  CHECK(child.exit_code() == 0);
}

json inode_of(const SharedBuffer& buffer) {
  struct stat status {};
  REQUIRE(fstat(tine::base::SealedMemory::of(buffer).descriptor().get(), &status) == 0);
  return status.st_ino;
}

constexpr int all_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

Descriptor memory(off_t size, int seals) {
  Descriptor file(memfd_create("made by hand", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(ftruncate(file.get(), size) == 0);
  REQUIRE(fcntl(file.get(), F_ADD_SEALS, seals) == 0);
  return file;
}

std::string line_of(const std::string& rest) {
  return R"({"cmd":"NODE_HANDLE","type":"tine.SharedBuffer","msg":{"do":"last"})" + rest + "}\n";
}
std::string line_of(std::uint64_t size) { return line_of(",\"size\":" + std::to_string(size)); }

// Expects the answer to a buffer of the right kind, and that the child is unharmed.
void check_survivor(RawParent& parent) {
  RawPeer& channel = parent.channel();
  channel.write_with_descriptor(line_of(3), memory(3, all_seals).get());
  channel.expect(ack + R"({"grown":)");
  CHECK_THAT(channel.read_until("\n"), EndsWith(",\"last\":\"\\u0000\"}\n"));
  channel.half_close();
  CHECK(channel.read_to_end().empty());
  CHECK(parent.wait() == 0);
}

// Expects that a descriptor with such a line is confirmed, and is an error of the child, which says
// `why`.
void check_refused(RawParent& parent, const std::string& line, int descriptor,
                   const std::string& why) {
  parent.channel().write_with_descriptor(line, descriptor);
  parent.channel().expect(ack + R"({"error":")");
  const std::string error = parent.channel().read_until("\n");
  CHECK_THAT(error, StartsWith(why));
  CHECK_THAT(error, ContainsSubstring("both were dropped"));
}

const std::string not_sealed = "a descriptor that is no sealed memory of the size";

}  // namespace

// --- the program that a user writes

TEST_CASE("shared buffers: a picture goes to the child with a message, and comes back",
          "[handles]") {
  const auto serialization = GENERATE(tine::Serialization::json, tine::Serialization::advanced);
  TestLoop loop;
  auto child = loop.fork("shared", with(serialization));
  const std::string bytes = "a picture, in bytes";

  const SharedBuffer picture(bytes);
  child.send({{"do", "return"}, {"frame", 7}}, picture);

  json frame;
  std::string came;
  child.on<"message">([&](const json& message, const SharedBuffer& returned) {
    frame = message["frame"];
    came = returned.text();
    child.disconnect();
  });
  loop.run();
  CHECK(frame == 7);
  CHECK(came == bytes);
}

TEST_CASE("shared buffers: both ends have the same memory", "[handles]") {
  const auto serialization = GENERATE(tine::Serialization::json, tine::Serialization::advanced);
  TestLoop loop;
  auto child = loop.fork("shared", with(serialization));
  const SharedBuffer buffer("bytes");
  const Answer there = ask(loop, child, {{"do", "read"}}, buffer);
  CHECK(there.message == json{{"text", "bytes"}, {"inode", inode_of(buffer)}});
  CHECK_FALSE(there.buffer);
  const Answer back = ask(loop, child, {{"do", "return"}}, buffer);
  CHECK(inode_of(back.buffer) == inode_of(buffer));
  CHECK(back.buffer.bytes().data() != buffer.bytes().data());
  end(loop, child);
}

TEST_CASE("shared buffers: a child sends what it has filled in place, of any size", "[handles]") {
  const auto size = GENERATE(as<std::size_t>{}, 0, 1, 4'095, 4'096, 4'097, 3 * mebibyte + 1);
  TestLoop loop;
  auto child = loop.fork("shared");
  child.send({{"do", "make"}, {"size", size}});
  const Answer answer = next(loop, child);
  CHECK(answer.message == json{{"made", size}});
  REQUIRE(answer.buffer);
  CHECK(answer.buffer.text() == std::string(size, 'm'));
  const int fd = tine::base::SealedMemory::of(answer.buffer).descriptor().get();
  CHECK((fcntl(fd, F_GET_SEALS) & all_seals) == all_seals);
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  end(loop, child);
}

TEST_CASE("shared buffers: a text may have one, and a Handle may be asked for it", "[handles]") {
  TestLoop loop;
  auto child = loop.fork("shared");
  child.send(tine::Text{R"({"do":"return"})"}, SharedBuffer("bytes"));
  bool is_buffer = false;
  child.on<"message">([&](tine::Text message, const tine::Handle& handle) {
    is_buffer = handle.shared_buffer().text() == "bytes" && !handle.socket() && !handle.server() &&
                !handle.datagram() && !handle.descriptors();
    CHECK(json::parse(message.json) == json{{"do", "return"}});
    child.disconnect();
  });
  loop.run();
  CHECK(is_buffer);
}

TEST_CASE("shared buffers: a listener gets an empty handle if something else was sent",
          "[handles]") {
  TestLoop loop;
  auto child = loop.fork("shared");
  child.send("plain");
  CHECK(next(loop, child).message == json{{"none", "plain"}});
  child.send("other", tine::Descriptors({eventfd(0, EFD_CLOEXEC)}));
  CHECK(next(loop, child).message == json{{"none", "other"}});
  end(loop, child);
}

TEST_CASE("shared buffers: one outlives the channel, the loop and its maker", "[handles]") {
  TestLoop loop;
  SharedBuffer kept;
  {
    auto child = loop.fork("shared");
    child.send({{"do", "make"}, {"size", 10}});
    kept = next(loop, child).buffer;
    end(loop, child);
  }
  loop.destroy();
  CHECK(kept.text() == "mmmmmmmmmm");
}

TEST_CASE("shared buffers: the limits of the channel do not apply to the bytes", "[handles]") {
  TestLoop loop;
  tine::ForkOptions options;
  options.channel = {.max_line = 1'000, .send_limit = 1'000, .stored_limit = 1'000};
  auto child = loop.fork("shared", options);
  const SharedBuffer large(std::string(4 * mebibyte, 'l'));
  int failures = 0;
  for (int i = 0; i < 3; ++i) {
    child.send({{"do", "return"}}, large, [&](std::error_code error) { failures += bool(error); });
  }
  for (int i = 0; i < 3; ++i) CHECK(next(loop, child).buffer.text() == large.text());
  CHECK(failures == 0);
  end(loop, child);
}

TEST_CASE("shared buffers: a gibibyte is sent, and takes only the memory that is touched",
          "[handles]") {
  constexpr std::size_t size = 1024 * mebibyte;
  const PeakMemory peak;
  TestLoop loop;
  auto child = loop.fork("shared");
  const auto buffer =
      SharedBuffer::make(size, [](std::span<std::byte> to) { to.back() = std::byte{'x'}; });
  const json answer = ask(loop, child, {{"do", "last"}}, buffer).message;
  CHECK(answer["last"] == "x");
  if (!sanitized) CHECK(answer["grown"] < 64 * mebibyte);
  const SharedBuffer back = ask(loop, child, {{"do", "return"}}, buffer).buffer;
  CHECK(back.text().back() == 'x');
  if (!sanitized) CHECK(peak.growth() < 64 * mebibyte);
  end(loop, child);
}

TEST_CASE("shared buffers: many go both ways, and nothing is left at either end", "[handles]") {
  const int count = scaled(200, 10'000);
  TestLoop loop;
  auto child = loop.fork("shared");
  child.send({{"do", "descriptors"}});
  const json before = next(loop, child).message;
  const auto here = open_descriptors();
  int returned = 0;
  const auto send = [&](int number) {
    child.send({{"do", "return"}, {"number", number}}, SharedBuffer(std::to_string(number)));
  };
  const auto listening = child.on<"message">([&](const json& message, const SharedBuffer& buffer) {
    CHECK(message["number"] == returned);
    CHECK(buffer.text() == std::to_string(returned));
    if (++returned == count) return loop->stop();
    if (returned + 10 <= count) send(returned + 9);
  });
  for (int i = 0; i < 10; ++i) send(i);
  loop.run();
  child.off(listening);
  CHECK(returned == count);
  CHECK(open_descriptors() == here);
  child.send({{"do", "descriptors"}});
  CHECK(next(loop, child).message == before);
  end(loop, child);
}

TEST_CASE("shared buffers: send() returns false while one waits, and drain follows", "[handles]") {
  TestLoop loop;
  auto child = loop.fork("shared");
  ExpectCalls drained(1);
  child.on<"drain">([&] { drained(); });
  ask(loop, child, {{"do", "read"}}, SharedBuffer("the child runs"));

  const SharedBuffer large(std::string(mebibyte, 'l'));
  CHECK(child.send({{"do", "last"}}, large));  // written at once
  CHECK_FALSE(child.send({{"do", "last"}}, large));
  CHECK(child.channel().queued_bytes() < 1'000);
  next(loop, child);
  next(loop, child);
  end(loop, child);
}

// --- peers that are not tine

TEST_CASE("shared buffers: a peer that is not tine gets none, and the sender learns it",
          "[handles]") {
  const bool with_callback = GENERATE(true, false);
  const bool peer_speaks = GENERATE(true, false);
  TestLoop loop;
  Invariants invariants(loop);
  std::vector<std::string> steps{"expect", "2\n", "taken", "0", "await-end"};
  if (peer_speaks) steps.insert(steps.begin(), {"send", "0\n"});
  auto child = invariants.watch(loop.fork(
      "raw", {.args = steps, .channel = {.handle_timeout = peer_speaks ? 10'000ms : 50ms}}));
  std::vector<std::error_code> errors;
  std::string text;
  child.on<"message">([](int) {});
  child.on<"error">([&](const tine::Error& error) {
    errors.push_back(error.code());
    text = error.what();
  });
  const auto sent = [&](std::error_code error) { errors.push_back(error); };
  const SharedBuffer buffer("bytes");
  child.send(1, buffer, with_callback ? tine::SendCallback(sent) : tine::SendCallback());
  child.send(2, invariants.sent());
  child.disconnect();
  loop.run();
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
  CHECK(errors == std::vector<std::error_code>{tine::Errc::invalid_handle_type});
  CHECK(text.empty() == with_callback);
  if (!with_callback) CHECK_THAT(text, ContainsSubstring("only a peer that is tine takes them"));
  CHECK(invariants.successes() == 1);
  invariants.check();
}

TEST_CASE("shared buffers: a child of a parent that is not tine cannot send one", "[handles]") {
  const TestLoop checks_what_is_left;
  RawParent parent("shared");
  parent.channel().write("{\"do\":\"make\",\"size\":9}\n");
  const std::string error = parent.channel().read_until("\n");
  CHECK_THAT(error, StartsWith("{\"error\":\"1 handle(s) sent beside messages are given up"));
  CHECK_THAT(error, ContainsSubstring("ERR_INVALID_HANDLE_TYPE"));
  check_survivor(parent);
}

// --- peers that send something else

TEST_CASE("shared buffers: a descriptor that is no memfd is refused", "[handles]") {
  const TestLoop checks_what_is_left;
  RawParent parent("shared");
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const Descriptor pipe_end(ends[0]);
  const Descriptor other_end(ends[1]);
  const Descriptor counter(eventfd(0, EFD_CLOEXEC));
  const Descriptor directory(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Descriptor file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const Descriptor device(open("/dev/zero", O_RDWR | O_CLOEXEC));
  for (const Descriptor* one : {&pipe_end, &counter, &directory, &file, &device}) {
    REQUIRE(one->get() >= 0);
    struct stat status {};
    REQUIRE(fstat(one->get(), &status) == 0);
    check_refused(parent, line_of(static_cast<std::uint64_t>(status.st_size)), one->get(),
                  not_sealed);
  }
  check_survivor(parent);
}

TEST_CASE("shared buffers: memory that lacks a seal is refused", "[handles]") {
  const TestLoop checks_what_is_left;
  RawParent parent("shared");
  for (const int lacking : {all_seals, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_SEAL}) {
    check_refused(parent, line_of(3), memory(3, all_seals & ~lacking).get(), not_sealed);
  }
  const Descriptor never(memfd_create("cannot be sealed", MFD_CLOEXEC));
  REQUIRE(ftruncate(never.get(), 3) == 0);
  check_refused(parent, line_of(3), never.get(), not_sealed);
  check_survivor(parent);
}

TEST_CASE("shared buffers: memory of another size than its line says is refused", "[handles]") {
  const TestLoop checks_what_is_left;
  RawParent parent("shared");
  const Descriptor three = memory(3, all_seals);
  for (const std::string size :
       {"", ",\"size\":2", ",\"size\":4", ",\"size\":0", ",\"size\":-3", ",\"size\":3.0",
        ",\"size\":\"3\"", ",\"size\":null", ",\"size\":[3]", ",\"size\":18446744073709551615",
        ",\"size\":36893488147419103235"}) {
    INFO(size);
    check_refused(parent, line_of(size), three.get(), not_sealed);
  }
  check_survivor(parent);
}

TEST_CASE("shared buffers: memory that cannot be mapped is an error", "[handles]") {
  const TestLoop checks_what_is_left;
  RawParent parent("shared");
  constexpr off_t size = off_t{1} << 62;
  check_refused(parent, line_of(static_cast<std::uint64_t>(size)), memory(size, all_seals).get(),
                "a shared buffer of 4611686018427387904 bytes");
  check_survivor(parent);
}

TEST_CASE("shared buffers: a line without its descriptor is refused, and may be repeated",
          "[handles]") {
  const TestLoop checks_what_is_left;
  RawParent parent("shared");
  parent.channel().write(line_of(3));
  parent.channel().expect(nack);
  check_survivor(parent);
}
