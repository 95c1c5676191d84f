// The messages between workers and primaries, tested without either.
#include "cluster/messages.hpp"

#include <cerrno>
#include <cstdint>
#include <limits>

#include "support/catch.hpp"

using namespace tine::cluster;
using nlohmann::json;
using tine::Address;
using tine::Family;
using Kind = tine::net::ListenerQuery::Kind;

namespace {

const json usual = json::object();

// A number that would be -1 as an int64_t.
constexpr auto beyond_int64 = std::numeric_limits<std::uint64_t>::max();

// Returns a query as Node 20 and 26 write it, but with the members of `more`.
json node_query(const json& more) {
  json query{{"cmd", "NODE_CLUSTER"},
             {"act", "queryServer"},
             {"index", 0},
             {"data", nullptr},
             {"address", nullptr},
             {"port", 8000},
             {"addressType", 4},
             {"flags", 0},
             {"backlog", 511},
             {"seq", 1}};
  query.update(more);
  return query;
}

}  // namespace

TEST_CASE("cluster messages: keys are the same as Node's", "[cluster]") {
  const auto key = [](const json& more) { return read_query(node_query(more)).value().key; };
  CHECK(key(usual) == "null:8000:4:undefined");
  CHECK(key({{"port", 0}}) == "null:0:4:undefined:0");
  CHECK(key({{"port", 0}, {"index", 3}}) == "null:0:4:undefined:3");
  CHECK(key({{"address", "127.0.0.1"}, {"index", 3}}) == "127.0.0.1:8000:4:undefined");
  CHECK(key({{"address", "::1"}, {"addressType", 6}}) == "::1:8000:6:undefined");
  CHECK(key({{"address", "/run/x.sock"}, {"port", -1}, {"addressType", -1}}) ==
        "/run/x.sock:-1:-1:undefined");
  CHECK(key({{"address", "0.0.0.0"}, {"addressType", "udp4"}, {"fd", -1}}) ==
        "0.0.0.0:8000:udp4:-1");
}

TEST_CASE("cluster messages: each member of a query is read", "[cluster]") {
  const auto listener = [](const json& more) {
    return read_query(node_query(more)).value().listener;
  };
  CHECK_FALSE(listener(usual).address);
  CHECK(listener(usual).port == 8000);
  CHECK(listener(usual).kind == Kind::stream);
  CHECK(listener({{"address", "::1"}, {"addressType", 6}}).address ==
        Address{Family::ipv6, "::1", 8000});
  CHECK(listener({{"address", "/a/b"}, {"port", -1}, {"addressType", -1}}).address ==
        Address{Family::unix_path, "/a/b", 0});
  CHECK(listener({{"addressType", "udp4"}}).kind == Kind::udp4);
  CHECK(listener({{"addressType", "udp6"}}).kind == Kind::udp6);
  CHECK_FALSE(listener(usual).ipv6_only);
  CHECK(listener({{"flags", 1}}).ipv6_only);
  CHECK(listener({{"addressType", "udp4"}, {"flags", 4}}).reuse_address);
  CHECK(listener({{"flags", 2}}).reuse_port);
  CHECK(listener({{"addressType", "udp4"}, {"flags", 64}}).reuse_port);
  CHECK(listener({{"readableAll", true}}).readable_all);
  CHECK(listener({{"writableAll", true}}).writable_all);
  const json descriptor{
      {"address", nullptr}, {"port", nullptr}, {"addressType", nullptr}, {"fd", 7}};
  CHECK(listener(descriptor).descriptor == 7);
  CHECK(listener(descriptor).kind == Kind::stream);
  CHECK(listener(usual).descriptor == -1);
}

// Node 20 and 26 write the worker's directory before an abstract name, because path.resolve() does
// not know of such names.
TEST_CASE("cluster messages: the directory that Node writes before an abstract name is removed",
          "[cluster]") {
  using namespace std::string_literals;
  for (const std::string& folder : {""s, "/"s, "/home/somebody/"s}) {
    const json query =
        node_query({{"address", folder + "\0name"s}, {"port", -1}, {"addressType", -1}});
    CHECK(read_query(query).value().listener.address == Address{Family::unix_path, "\0name"s, 0});
    CHECK(read_query(query).value().key == "\0name:-1:-1:undefined"s);
    CHECK(listening_address(query).value().host == "\0name"s);
  }
  const json path = node_query({{"address", "/run/x\0y"s}, {"port", -1}, {"addressType", -1}});
  CHECK(read_query(path).value().listener.address->host == "/run/x\0y"s);  // bind() refuses it
}

TEST_CASE("cluster messages: an invalid backlog is replaced by the default", "[cluster]") {
  const auto backlog = [](const json& value) {
    return read_query(node_query({{"backlog", value}})).value().listener.backlog;
  };
  CHECK(backlog(10) == 10);
  CHECK(backlog(0) == 511);
  CHECK(backlog(-5) == 511);
  CHECK(backlog(1'000'000) == 511);
  CHECK(backlog(false) == 511);
  CHECK(backlog("10") == 511);
}

TEST_CASE("cluster messages: an invalid query is rejected", "[cluster]") {
  const json more = GENERATE(
      json{{"addressType", 5}}, json{{"addressType", nullptr}}, json{{"addressType", "tcp"}},
      json{{"port", 65536}}, json{{"port", -1}}, json{{"port", beyond_int64}},
      json{{"port", 1e300}}, json{{"fd", 0x1'0000'0007}}, json{{"fd", beyond_int64}},
      json{{"address", "nowhere"}}, json{{"address", 7}},
      json{{"address", ""}, {"addressType", -1}}, json{{"address", nullptr}, {"addressType", -1}});
  CAPTURE(more.dump());
  CHECK_FALSE(read_query(node_query(more)));
}

TEST_CASE("cluster messages: the primary reads what a worker writes", "[cluster]") {
  tine::net::ListenerQuery asked;
  asked.kind = GENERATE(Kind::stream, Kind::udp4, Kind::udp6);
  asked.port = 8000;
  asked.backlog = 12;
  asked.ipv6_only = GENERATE(false, true);
  asked.reuse_address = GENERATE(false, true);
  asked.reuse_port = GENERATE(false, true);
  asked.readable_all = GENERATE(false, true);
  asked.writable_all = !asked.readable_all;
  const auto read = read_query(query_members(asked, 0)).value().listener;
  CHECK(read.kind == asked.kind);
  CHECK(read.port == asked.port);
  CHECK(read.backlog == asked.backlog);
  CHECK(read.ipv6_only == asked.ipv6_only);
  CHECK(read.reuse_address == (asked.reuse_address && asked.kind != Kind::stream));
  CHECK(read.reuse_port == asked.reuse_port);
  CHECK(read.readable_all == asked.readable_all);
  CHECK(read.writable_all == asked.writable_all);
}

TEST_CASE("cluster messages: flags have libuv's values for TCP and for UDP", "[cluster]") {
  const auto flags = [](const tine::net::ListenerQuery& query) {
    return query_members(query, 0)["flags"];
  };
  CHECK(flags({.kind = Kind::stream}) == 0);
  CHECK(flags({.kind = Kind::stream, .ipv6_only = true}) == 1);
  CHECK(flags({.kind = Kind::stream, .reuse_port = true}) == 2);
  CHECK(flags({.kind = Kind::udp4, .reuse_address = true}) == 4);
  CHECK(flags({.kind = Kind::udp6, .ipv6_only = true, .reuse_port = true}) == 65);
}

TEST_CASE("cluster messages: a query for a descriptor is written as Node writes it", "[cluster]") {
  const json asked = query_members({.descriptor = 7, .backlog = 10}, 0);
  CHECK(asked == json{{"index", 0},
                      {"data", nullptr},
                      {"address", nullptr},
                      {"port", nullptr},
                      {"addressType", nullptr},
                      {"fd", 7},
                      {"backlog", 10},
                      {"flags", 0}});
  CHECK(read_query(asked).value().key == "null:null:null:7");
}

TEST_CASE("cluster messages: an address that is written and read is the same", "[cluster]") {
  const Address address =
      GENERATE(Address{Family::ipv4, "127.0.0.1", 80}, Address{Family::ipv6, "::1", 65535});
  CHECK(read_address(write_address(address)) == address);
  CHECK_FALSE(read_address({{"address", "nowhere"}, {"port", 80}}));
  CHECK_FALSE(read_address({{"address", "127.0.0.1"}, {"port", 65536}}));
  CHECK_FALSE(read_address({{"address", "127.0.0.1"}, {"port", beyond_int64}}));
  CHECK_FALSE(read_address({{"address", "127.0.0.1"}}));
}

TEST_CASE("cluster messages: a listening message with an invalid port has no address",
          "[cluster]") {
  const auto address = [](const json& port) {
    return listening_address({{"address", "127.0.0.1"}, {"port", port}, {"addressType", 4}});
  };
  CHECK(address(80) == Address{Family::ipv4, "127.0.0.1", 80});
  CHECK(address(nullptr) == Address{Family::ipv4, "127.0.0.1", 0});
  CHECK_FALSE(address(65536 + 80));
  CHECK_FALSE(address(-1));
  CHECK_FALSE(address(beyond_int64));
  CHECK_FALSE(address(1e300));
}

TEST_CASE("cluster messages: a reply without a valid number answers no message", "[cluster]") {
  CHECK(answered_number({{"ack", 0}}) == 0);
  CHECK(answered_number({{"ack", 7}}) == 7);
  const json wrong = GENERATE(json(-1), json(beyond_int64), json(7.5), json("7"), json(nullptr));
  CHECK_FALSE(answered_number({{"ack", wrong}}));
  CHECK_FALSE(answered_number(usual));
}

TEST_CASE("cluster messages: an invalid errno in a reply becomes EINVAL", "[cluster]") {
  CHECK(read_error({{"errno", 0}}) == 0);
  CHECK(read_error({{"errno", nullptr}}) == 0);
  CHECK(read_error({{"errno", -EADDRINUSE}}) == EADDRINUSE);
  const json wrong = GENERATE(json(1), json(-4096), json(-5'000'000'000),
                              json(std::numeric_limits<std::int64_t>::min()), json(beyond_int64));
  CHECK(read_error({{"errno", wrong}}) == EINVAL);
}
