// Memory that is not needed again is released.
#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "channel/inbox.hpp"
#include "channel/outbox.hpp"
#include "support/catch.hpp"
#include "wire/heap.hpp"
#include "wire/json_lines.hpp"

using nlohmann::json;
using tine::channel::Inbox;
using tine::channel::Outbox;
using tine::channel::PassedHandle;
using tine::channel::Wanted;
using tine::wire::JsonLines;

namespace {

const std::size_t max_depth = tine::ChannelOptions().max_depth;

constexpr std::size_t small = std::size_t{64} << 10;

void write_all(Outbox& outbox) {
  while (outbox.queued() > 0) {
    const auto piece = outbox.front();
    outbox.written(piece.bytes.size());
    if (outbox.awaits_answer()) outbox.answered(true);
  }
}

void send(Outbox& outbox, const json& message) {
  tine::SendCallback nobody;
  REQUIRE_FALSE(outbox.add(message, nobody));
  write_all(outbox);
}

void send_with_handle(Outbox& outbox, const json& message) {
  tine::SendCallback nobody;
  PassedHandle handle{.type = "net.Socket"};
  REQUIRE_FALSE(outbox.add(message, handle, nobody));
  write_all(outbox);
}

}  // namespace

TEST_CASE("outbox: a large buffer is released after some smaller messages", "[channel]") {
  constexpr std::size_t huge = std::size_t{1} << 20;
  const std::size_t before = heap::live_bytes();
  JsonLines codec(max_depth);
  Outbox outbox(codec, {});
  send(outbox, std::string(huge, 'x'));
  CHECK(heap::live_bytes() - before > huge);
  for (int i = 0; i < 200; ++i) send(outbox, i);
  CHECK(heap::live_bytes() - before < small);
}

TEST_CASE("outbox: a large buffer that is used now and then is kept", "[channel]") {
  const json huge(std::string(std::size_t{1} << 20, 'x'));
  JsonLines codec(max_depth);
  Outbox outbox(codec, {});
  send(outbox, huge);
  send(outbox, huge);
  const std::size_t before = heap::live_bytes();
  for (int i = 0; i < 10; ++i) {
    for (int k = 0; k < 20; ++k) send(outbox, k);
    send(outbox, huge);
    send(outbox, huge);
  }
  CHECK(heap::live_bytes() == before);
}

TEST_CASE("outbox: a very large buffer is released at once", "[channel]") {
  const json huge(std::string(std::size_t{20} << 20, 'x'));
  const std::size_t before = heap::live_bytes();
  JsonLines codec(max_depth);
  Outbox outbox(codec, {});
  SECTION("after its message is written") { send(outbox, huge); }
  SECTION("after two such messages are written") {
    tine::SendCallback nobody;
    REQUIRE_FALSE(outbox.add(huge, nobody));
    outbox.front();
    REQUIRE_FALSE(outbox.add(huge, nobody));
    write_all(outbox);
  }
  SECTION("after the frame of a handle is written") { send_with_handle(outbox, huge); }
  SECTION("after the message is refused") {
    tine::SendCallback nobody;
    REQUIRE(outbox.add(json{huge, "\xFF"}, nobody));
  }
  CHECK(heap::live_bytes() - before < small);
}

TEST_CASE("inbox: stored messages leave no memory behind once they are delivered or dropped",
          "[channel]") {
  const bool delivered = GENERATE(true, false);
  const std::string line = json(std::string(1000, 'x')).dump() + "\n";
  JsonLines codec(max_depth);
  Inbox inbox(codec, {});
  const std::size_t before = heap::live_bytes();
  for (int i = 0; i < 1000; ++i) {
    const auto room = inbox.room();
    std::copy(line.begin(), line.end(), room.begin());
    inbox.advance(line.size());
    while (inbox.next(Wanted::nothing).kind != Inbox::Kind::nothing) {
    }
  }
  CHECK(inbox.stored() == 1000 * line.size());
  CHECK(heap::live_bytes() - before > 1'000'000);
  if (delivered) {
    while (inbox.next(Wanted::text).kind != Inbox::Kind::nothing) {
    }
  } else {
    inbox.drop_stored();
  }
  CHECK(inbox.stored() == 0);
  CHECK(heap::live_bytes() - before < 2 * small);
}
