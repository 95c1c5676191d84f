#include "command/script/any_order.hpp"

#include <set>
#include <vector>

#include "support/catch.hpp"

using tine::command::AnyOrder;

namespace {

// places[i] is the set of arrivals that fit place i.
AnyOrder order_of(std::vector<std::set<std::size_t>> places) {
  const std::size_t count = places.size();
  return AnyOrder(count, [places](std::size_t place, std::size_t arrival) {
    return places[place].contains(arrival);
  });
}

}  // namespace

TEST_CASE("any order: an arrival moves to make place for one that fits nowhere else", "[command]") {
  auto order = order_of({{0, 1}, {0}});
  REQUIRE(order.add());
  CHECK(order.arrival_at(0) == 0);
  REQUIRE(order.add());
  CHECK(order.arrival_at(0) == 1);
  CHECK(order.arrival_at(1) == 0);
}

TEST_CASE("any order: an arrival without a place changes nothing", "[command]") {
  auto order = order_of({{0}, {1}});
  REQUIRE(order.add());
  auto none = order_of({{0}, {0}});
  REQUIRE(none.add());
  CHECK_FALSE(none.add());
  CHECK(none.arrival_at(0) == 0);
  CHECK_FALSE(none.arrival_at(1));
}

TEST_CASE("any order: three arrivals move in a chain", "[command]") {
  auto order = order_of({{0, 1}, {0, 2}, {2}});
  CHECK(order.add());
  CHECK(order.add());
  CHECK(order.add());
  CHECK(order.arrival_at(0) == 1);
  CHECK(order.arrival_at(1) == 0);
  CHECK(order.arrival_at(2) == 2);
}
