// The table of the requests that wait: who leaves it, and that nothing of it stays.
#include "rpc/call_table.hpp"

#include <chrono>
#include <memory>
#include <vector>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using nlohmann::json;
using tine::rpc::CallTable;
using tine::rpc::Clock;
using tine::rpc::Id;
using tine::rpc::no_deadline;
using tine::rpc::Pending;

namespace {

std::shared_ptr<Pending> call_until(Clock::time_point deadline = no_deadline) {
  auto call = std::make_shared<Pending>(nullptr);
  call->deadline = deadline;
  return call;
}

std::shared_ptr<Pending> call_with_token(const json& token) {
  auto call = call_until();
  call->make_extras().token = token;
  return call;
}

const Clock::time_point start{};

}  // namespace

TEST_CASE("call table: ids count from 1 and are not used again", "[rpc]") {
  CallTable table;
  for (Id id = 1; id <= 3; ++id) {
    const auto call = call_until();
    table.add(call);
    CHECK(call->id == id);
    CHECK(table.extract(id) == call);
  }
  CHECK(table.size() == 0);
}

TEST_CASE("call table: a request is taken out once", "[rpc]") {
  CallTable table;
  const auto call = call_until(start + 1s);
  table.add(call);
  SECTION("by its id") { CHECK(table.extract(1) == call); }
  SECTION("as any") { CHECK(table.extract_any() == call); }
  CHECK(table.size() == 0);
  CHECK(table.next_deadline() == no_deadline);
  CHECK(table.call(1) == nullptr);
  CHECK(table.call_of_token(1) == nullptr);
  CHECK(table.due(no_deadline) == nullptr);
  CHECK(table.all().empty());
  CHECK(table.extract(1) == nullptr);
  CHECK(table.extract_any() == nullptr);
  CHECK(call.use_count() == 1);
}

TEST_CASE("call table: deadlines come in their order, and those that are equal in that of the ids",
          "[rpc]") {
  CallTable table;
  for (const auto after : {3s, 1s, 2s, 1s}) table.add(call_until(start + after));
  table.add(call_until());
  CHECK(table.next_deadline() == start + 1s);
  CHECK(table.due(start + 999ms) == nullptr);
  for (const Id id : {Id{2}, Id{4}, Id{3}}) {
    CHECK(table.due(start + 2s)->id == id);
    table.extract(id);
  }
  CHECK(table.due(start + 2s) == nullptr);
  CHECK(table.next_deadline() == start + 3s);
  table.extract(1);
  CHECK(table.next_deadline() == no_deadline);
  CHECK(table.size() == 1);
}

TEST_CASE("call table: all are listed in the order of their ids", "[rpc]") {
  CallTable table;
  for (int i = 0; i < 1000; ++i) table.add(call_until());
  table.extract(500);
  Id last = 0;
  for (const auto& call : table.all()) {
    CHECK(call->id > last);
    last = call->id;
  }
  CHECK(last == 1000);
  CHECK(table.size() == 999);
}

TEST_CASE("call table: only numbers that requests had are ids", "[rpc]") {
  CallTable table;
  table.add(call_until());
  table.add(call_until());
  table.extract(1);
  CHECK(table.given(1) == 1);
  CHECK(table.given(2) == 2);
  CHECK(table.given(json::number_unsigned_t{2}) == 2);
  for (const json& other : {json(0), json(3), json(-1), json(1.0), json("1"), json(), json(true),
                            json::array({1}), json::object(), json(~std::uint64_t{0})}) {
    INFO(other.dump());
    CHECK(table.given(other) == 0);
  }
}

TEST_CASE("call table: progress is found by the id or by the token that was chosen", "[rpc]") {
  CallTable table;
  const auto plain = call_until();
  const auto named = call_with_token("a");
  const auto numbered = call_with_token(1);  // is also the id of the first
  table.add(plain);
  CHECK(table.call_of_token(1) == plain);
  table.add(named);
  table.add(numbered);
  CHECK(table.call_of_token("a") == named);
  CHECK(table.call_of_token(1) == numbered);
  CHECK(table.call_of_token(2) == named);
  CHECK(table.call_of_token("b") == nullptr);
  CHECK(table.call_of_token(4) == nullptr);
  table.extract(3);
  CHECK(table.call_of_token(1) == plain);
  table.extract(2);
  CHECK(table.call_of_token("a") == nullptr);
}

TEST_CASE("call table: a token belongs to the last request that has chosen it", "[rpc]") {
  CallTable table;
  const auto first = call_with_token("a");
  const auto second = call_with_token("a");
  table.add(first);
  table.add(second);
  CHECK(table.call_of_token("a") == second);
  table.extract(1);
  CHECK(table.call_of_token("a") == second);
  table.extract(2);
  CHECK(table.call_of_token("a") == nullptr);
}
