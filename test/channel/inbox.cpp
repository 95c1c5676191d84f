// Received bytes and descriptors: which line gets which descriptors, and when the inbox is full.
#include "channel/inbox.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/tracked.hpp"
#include "wire/json_lines.hpp"

using tine::channel::Inbox;
using tine::channel::Wanted;
using tine::wire::JsonLines;
using Kind = Inbox::Kind;

namespace {

const std::size_t max_depth = tine::ChannelOptions().max_depth;

constexpr std::string_view handle_line = "{\"cmd\":\"NODE_HANDLE\",\"msg\":1}\n";

// Does one read, in which the descriptors came with the last of these bytes.
void read(Inbox& inbox, std::string_view bytes, const std::vector<int>& beside = {}) {
  std::vector<tine::base::Descriptor> came;
  for (const int fd : beside) came.emplace_back(dup(fd));
  if (!came.empty()) REQUIRE(inbox.take(came));
  const auto room = inbox.room();
  REQUIRE(room.size() >= bytes.size());
  std::copy(bytes.begin(), bytes.end(), room.begin());
  inbox.advance(bytes.size());
}

// Returns the next messages, up to the first item that is not a message. That item becomes `last`.
std::string messages(Inbox& inbox, Inbox::Item& last, Wanted wanted = Wanted::value) {
  std::string all;
  while ((last = inbox.next(wanted)).kind == Kind::message) all += std::string(last.text) + " ";
  return all;
}

// Returns how many descriptors the next handle line gets if it announces `count`.
std::size_t descriptors_of_next(Inbox& inbox, std::size_t count = 1) {
  Inbox::Item item;
  messages(inbox, item);
  REQUIRE(item.kind == Kind::internal);
  return inbox.descriptors_of(item, count).size();
}

}  // namespace

// Everything is read before anything is delivered, as when the peer has ended.
TEST_CASE("inbox: a handle does not get the descriptor of an earlier line", "[channel]") {
  const std::string_view earlier = GENERATE("1\n", "{\"cmd\":\"NODE_X\"}\n", "not JSON\n", "\n");
  JsonLines codec(max_depth);
  Inbox inbox(codec, {});
  Tracked stray;
  Tracked own;
  read(inbox, earlier, {stray.fd()});
  read(inbox, handle_line, {own.fd()});
  stray.drop();
  own.drop();
  Inbox::Item item;
  do item = inbox.next(Wanted::value);
  while (item.command != "NODE_HANDLE");
  {
    const auto given = inbox.descriptors_of(item, 1);
    CHECK(given.size() == 1);
    CHECK_FALSE(stray.open_somewhere());
    CHECK(own.open_somewhere());
  }
  CHECK_FALSE(own.open_somewhere());
}

TEST_CASE("inbox: a handle whose descriptor did not come does not get that of the line before",
          "[channel]") {
  JsonLines codec(max_depth);
  Inbox inbox(codec, {});
  Tracked stray;
  read(inbox, "1\n", {stray.fd()});
  read(inbox, handle_line);
  stray.drop();
  CHECK(descriptors_of_next(inbox) == 0);
  CHECK_FALSE(stray.open_somewhere());
}

TEST_CASE("inbox: a descriptor belongs to a line if it came with the line's first byte",
          "[channel]") {
  JsonLines codec(max_depth);
  Inbox inbox(codec, {});
  read(inbox, "1\n" + std::string(handle_line.substr(0, 1)), {STDIN_FILENO});
  read(inbox, handle_line.substr(1));
  CHECK(descriptors_of_next(inbox) == 1);
}

TEST_CASE("inbox: close_stray() closes the descriptors of delivered lines, and no other",
          "[channel]") {
  JsonLines codec(max_depth);
  Inbox inbox(codec, {});
  Tracked stray;
  Tracked own;
  read(inbox, "1\n", {stray.fd()});
  read(inbox, handle_line.substr(0, 1), {own.fd()});
  stray.drop();
  own.drop();
  Inbox::Item item;
  CHECK(messages(inbox, item) == "1 ");
  inbox.close_stray();
  CHECK_FALSE(stray.open_somewhere());
  CHECK(own.open_somewhere());
  read(inbox, handle_line.substr(1));
  CHECK(descriptors_of_next(inbox) == 1);
}

TEST_CASE("inbox: at most descriptor_limit descriptors wait", "[channel]") {
  JsonLines codec(max_depth);
  Inbox inbox(codec, {.descriptor_limit = 2});
  std::array<tine::base::Descriptor, 3> three{
      tine::base::Descriptor(-1), tine::base::Descriptor(-1), tine::base::Descriptor(-1)};
  CHECK_FALSE(inbox.take(three));
  CHECK(inbox.take(std::span(three).first(1)));
  CHECK(inbox.take(std::span(three).subspan(1, 1)));
  CHECK_FALSE(inbox.take(std::span(three).subspan(2)));
}

TEST_CASE("inbox: it is full from stored_limit on, including an incomplete line", "[channel]") {
  JsonLines codec(max_depth);
  Inbox inbox(codec, {.stored_limit = 10});
  Inbox::Item item;
  read(inbox, "1234\n");
  messages(inbox, item, Wanted::nothing);
  read(inbox, "6789");
  messages(inbox, item, Wanted::nothing);
  CHECK(inbox.stored() == 9);
  CHECK_FALSE(inbox.full());
  read(inbox, "0");
  CHECK(inbox.stored() == 10);
  CHECK(inbox.full());
  inbox.drop_stored();
  CHECK(inbox.stored() == 5);
  CHECK_FALSE(inbox.full());
  read(inbox, "\n");
  CHECK(messages(inbox, item) == "67890 ");
}

TEST_CASE("inbox: stored handles count toward descriptor_limit, and keep their own descriptors",
          "[channel]") {
  JsonLines codec(max_depth);
  Inbox inbox(codec, {.descriptor_limit = 2});
  for (int i = 0; i < 2; ++i) {
    CHECK_FALSE(inbox.full());
    read(inbox, handle_line, std::vector<int>(static_cast<std::size_t>(i) + 1, STDIN_FILENO));
    const auto item = inbox.next(Wanted::nothing);
    auto beside = inbox.descriptors_of(item, static_cast<std::size_t>(i) + 1);
    inbox.store_last(beside);
  }
  CHECK(inbox.full());
  read(inbox, "2\n");
  for (std::size_t i = 0; i < 2; ++i) {
    const auto item = inbox.next(Wanted::value);
    CHECK(item.stored);
    CHECK(inbox.descriptors_of(item, 1).size() == i + 1);
  }
  CHECK_FALSE(inbox.full());
  const auto last = inbox.next(Wanted::value);
  CHECK(last.text == "2");
  CHECK_FALSE(last.stored);
}
