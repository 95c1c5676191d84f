#include "tine/callback.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"

using tine::Callback;

namespace {

int twice(int n) { return 2 * n; }

// A function whose size and lifetime the tests choose. Counts the objects that are alive.
template <std::size_t Size, bool MovesSafely = true>
class Counted {
 public:
  explicit Counted(int& alive) : alive_(&alive) { ++*alive_; }
  Counted(Counted&& other) noexcept(MovesSafely) : alive_(other.alive_) { ++*alive_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*alive_; }

  int operator()() const { return *alive_; }

 private:
  int* alive_;
  std::array<char, Size> rest_{};
};

// Makes the same checks for functions that the callback holds inside itself and for those on the
// heap.
template <class F>
void check_lifetime() {
  int alive = 0;
  {
    Callback<int()> first = F(alive);
    CHECK(alive == 1);
    CHECK(first() == 1);

    Callback<int()> second = std::move(first);
    CHECK_FALSE(first);
    CHECK(alive == 1);
    CHECK(second() == 1);

    first = std::move(second);
    CHECK_FALSE(second);
    CHECK(first() == 1);

    second = F(alive);
    CHECK(alive == 2);
    second = std::move(first);
    CHECK(alive == 1);

    Callback<int()>& same = second;
    second = std::move(same);
    CHECK(second() == 1);

    const auto taken = std::exchange(second, nullptr);
    CHECK_FALSE(second);
    CHECK(taken() == 1);
  }
  CHECK(alive == 0);

  std::vector<Callback<int()>> many;
  for (int i = 0; i < 20; ++i) many.push_back(F(alive));
  CHECK(alive == 20);
  many.erase(many.begin(), many.begin() + 5);
  CHECK(many.front()() == 15);
  many.clear();
  CHECK(alive == 0);
}

}  // namespace

TEST_CASE("callback: it can be moved but not copied", "[events]") {
  using Empty = Callback<void()>;
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Empty>);
  STATIC_REQUIRE_FALSE(std::is_copy_assignable_v<Empty>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Empty>);
  STATIC_REQUIRE(std::is_nothrow_move_assignable_v<Empty>);
  check_lifetime<Counted<1>>();
  check_lifetime<Counted<2 * sizeof(void*)>>();
  check_lifetime<Counted<2 * sizeof(void*) + 1>>();
  check_lifetime<Counted<200>>();
  check_lifetime<Counted<1, false>>();
}

TEST_CASE("callback: it may own objects that cannot be copied", "[events]") {
  Callback<int()> callback = [owned = std::make_unique<int>(7)] { return *owned; };
  const Callback<int()> moved = std::move(callback);
  CHECK(moved() == 7);
}

TEST_CASE("callback: a function may take fewer arguments", "[events]") {
  int sum = 0;
  Callback<void(int, const std::string&)> callback = [&](int n, const std::string& text) {
    sum += n + static_cast<int>(text.size());
  };
  callback(1, "ab");
  CHECK(sum == 3);
  callback = [&](int n) { sum += n; };
  callback(1, "ab");
  CHECK(sum == 4);
  callback = [&] { ++sum; };
  callback(1, "ab");
  CHECK(sum == 5);
  callback = [&](auto... all) { sum += static_cast<int>(sizeof...(all)); };
  callback(1, "ab");
  CHECK(sum == 7);
}

TEST_CASE("callback: a function that cannot take the leading arguments does not convert",
          "[events]") {
  using Sent = Callback<void(std::error_code)>;
  const auto takes_text = [](std::string) {};
  const auto takes_two = [](std::error_code, int) {};
  const auto returns_text = [] { return std::string(); };
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Sent, decltype(takes_text)>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Sent, decltype(takes_two)>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Sent, int>);
  STATIC_REQUIRE(std::is_constructible_v<Sent, decltype(returns_text)>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Callback<int()>, decltype(returns_text)>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Callback<int()>, Callback<void()>>);
}

TEST_CASE("callback: an empty one is false", "[events]") {
  Callback<int(int)> callback;
  CHECK_FALSE(callback);
  CHECK(callback == nullptr);
  CHECK_FALSE(Callback<int(int)>(nullptr));
  CHECK_FALSE(Callback<int(int)>(std::function<int(int)>()));
  CHECK_FALSE(Callback<int(int)>(Callback<int()>()));
  int (*no_function)(int) = nullptr;
  CHECK_FALSE(Callback<int(int)>(no_function));

  callback = twice;
  CHECK(callback);
  CHECK(callback != nullptr);
  CHECK(callback(2) == 4);
  callback = nullptr;
  CHECK_FALSE(callback);
  const Callback<int(int)> moved = std::move(callback);
  CHECK_FALSE(moved);
}

TEST_CASE("callback: functions of all kinds are called", "[events]") {
  CHECK(Callback<int(int)>(twice)(3) == 6);
  CHECK(Callback<int(int)>(&twice)(3) == 6);
  CHECK(Callback<int(int)>([](int n) { return n; })(3) == 3);
  CHECK(Callback<int(int)>(std::function<int(int)>(twice))(3) == 6);
  CHECK(Callback<int(int)>(Callback<int(int)>(twice))(3) == 6);
  CHECK(Callback<double(int)>(Callback<int(int)>(twice))(3) == 6.0);
  CHECK(Callback<long(int)>(twice)(3) == 6);

  int calls = 0;
  auto counts = [&, n = 0]() mutable { calls = ++n; };
  const Callback<void()> callback = counts;
  callback();
  callback();
  CHECK(calls == 2);
  const Callback<void()> refers = std::ref(counts);
  refers();
  CHECK(calls == 1);
}

TEST_CASE("callback: arguments are passed on without a copy", "[events]") {
  const std::string text = "text";
  const Callback<bool(const std::string&)> callback = [&](const std::string& passed) {
    return &passed == &text;
  };
  CHECK(callback(text));
}

TEST_CASE("callback: an exception of the function leaves the call", "[events]") {
  const Callback<void()> callback = [] { throw std::runtime_error("thrown"); };
  CHECK_THROWS_WITH(callback(), "thrown");
}

TEST_CASE("callback: captures may look at the callback when they are destroyed", "[events]") {
  struct Looks {
    explicit Looks(bool& seen, Callback<void()>& at) : seen_(seen), at_(at) {}
    ~Looks() { seen_ = static_cast<bool>(at_); }
    bool& seen_;
    Callback<void()>& at_;
  };
  bool seen = false;
  Callback<void()> callback;
  callback = [looks = std::make_shared<Looks>(seen, callback)] {};
  callback = [] {};
  CHECK(seen);
}

TEST_CASE("callback: captures of up to three pointers need no memory of their own", "[events]") {
  struct Captures {
    std::array<void*, 3> pointers;
    void operator()() const {}
    static void* operator new(std::size_t) { throw std::bad_alloc(); }
  };
  const Callback<void()> callback = Captures();
  CHECK(callback);
}
