// What is flushed, in which order, when objects come and go.
#include "uv/flush_list.hpp"

#include <functional>
#include <string>

#include "support/catch.hpp"

using tine::uv::FlushList;

namespace {

// An object that logs its name when it is flushed.
class Named final : public tine::uv::Flushable {
 public:
  Named(char name, std::string& log) : name_(name), log_(log) {}
  void flush_turn() noexcept override {
    log_ += name_;
    also();
  }

  std::function<void()> also = [] {};

 private:
  char name_;
  std::string& log_;
};

struct Three {
  FlushList list;
  std::string log;
  Named a{'a', log};
  Named b{'b', log};
  Named c{'c', log};
};

}  // namespace

TEST_CASE("flush list: flushes each object once, the newest first", "[uv]") {
  Three three;
  CHECK(three.list.empty());
  for (Named* const one : {&three.a, &three.b, &three.c}) three.list.add(*one);
  CHECK_FALSE(three.list.empty());
  three.list.flush();
  CHECK(three.log == "cba");
  CHECK(three.list.empty());
  three.list.flush();
  CHECK(three.log == "cba");
}

TEST_CASE("flush list: an object that is removed is not flushed, the others are", "[uv]") {
  Three three;
  Named* const all[] = {&three.a, &three.b, &three.c};
  const auto removed = GENERATE(range(std::size_t{0}, std::size_t{3}));
  for (Named* const one : all) three.list.add(*one);
  three.list.remove(*all[removed]);
  three.list.remove(*all[removed]);  // it is not in the list any more
  three.list.flush();
  std::string expected = "cba";
  expected.erase(2 - removed, 1);
  CHECK(three.log == expected);
}

TEST_CASE("flush list: an object that is added while others are flushed is flushed too", "[uv]") {
  Three three;
  int times = 0;
  three.a.also = [&] {
    if (++times < 3) three.list.add(three.a);
    if (times == 1) three.list.remove(three.b);
  };
  three.list.add(three.b);
  three.list.add(three.a);
  three.list.flush();
  CHECK(three.log == "aaa");
}

TEST_CASE("flush list: what is dropped is not flushed", "[uv]") {
  Three three;
  three.list.add(three.a);
  three.list.clear();
  CHECK(three.list.empty());
  three.list.flush();
  CHECK(three.log.empty());
}
