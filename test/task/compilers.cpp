// The forms of co_await that are safe with every compiler, beside those that g++ 12 miscompiles.
//
// What g++ 12 does: a temporary of an aggregate type in an expression with co_await is copied bit by
// bit into the frame, and destroyed there and where it was. Its destructor runs twice. So these are
// wrong there, whatever greet() and text() are:
//
//   co_await greet(Name{"a"});           a temporary aggregate, by value or by reference
//   co_await greet({.text = "a"});       the same
//   co_await greet();                    the same, if it is a default argument
//   co_await greet([text] { ... });      a lambda with captures
//   yes ? co_await text() : other        whatever type it is that has a destructor
//
// g++ 12.2 also forgets to make room in the frame for what a condition with co_await needs, if the
// coroutine has no local variable. Such a coroutine goes on anywhere, or never:
//
//   Task<int> f() {
//     if (co_await ready()) co_return 1;     and the same with switch, while, for and do
//     co_return 2;
//   }
//
// A library cannot refuse these forms, because it does not see the arguments. But nothing of tine that
// is awaited takes an aggregate. Run under AddressSanitizer with both compilers, this test shows that
// the forms below are safe.
#include <memory>
#include <string>
#include <vector>

#include "task/task_test.hpp"

using namespace std::chrono_literals;

namespace {

// An aggregate whose members own memory: if it is destroyed twice, AddressSanitizer reports that.
struct Name {
  std::string text;
  std::vector<std::string> more = {};
};

const std::string long_text(100, 'x');

tine::Task<std::size_t> length_of(Name name, Frame = {}) {
  co_await tine::sleep(1ms);
  co_return name.text.size() + name.more.size();
}

tine::Task<std::size_t> length_at(const Name& name, Frame = {}) {
  co_await tine::sleep(1ms);
  co_return name.text.size() + name.more.size();
}

tine::Task<Name> make(std::string text, Frame = {}) {
  co_await tine::sleep(1ms);
  Name name;
  name.text = std::move(text);
  name.more.assign(3, long_text);
  co_return name;
}

tine::Task<Name> pass_on(Frame = {}) { co_return co_await make(long_text); }

template <class F>
tine::Task<std::size_t> call(F function, Frame = {}) {
  co_await tine::sleep(1ms);
  co_return function();
}

std::size_t size_of(const Name& name) { return name.text.size() + name.more.size(); }

}  // namespace

TEST_CASE("compilers: an aggregate with a name of its own may be an argument", "[task]") {
  TaskLoop loop;
  const auto sizes = [](Frame = {}) -> tine::Task<std::size_t> {
    Name name{long_text, {long_text}};
    const std::size_t copied = co_await length_of(name);
    const std::size_t referred = co_await length_at(name);
    const std::size_t moved = co_await length_of(std::move(name));
    co_return copied + referred + moved;
  };
  CHECK(tine::run(loop, sizes()) == 3 * 101);
}

TEST_CASE("compilers: a lambda with captures and a name may be an argument", "[task]") {
  TaskLoop loop;
  const auto size = [](Frame = {}) -> tine::Task<std::size_t> {
    const auto function = [text = long_text] { return text.size(); };
    co_return co_await call(function);
  };
  CHECK(tine::run(loop, size()) == 100);
}

TEST_CASE("compilers: a task may return an aggregate", "[task]") {
  TaskLoop loop;
  const auto sizes = [](Frame = {}) -> tine::Task<std::size_t> {
    const Name name = co_await make(long_text);
    auto other = co_await pass_on();
    other = co_await make(long_text);
    const std::size_t used = size_of(co_await make(long_text));
    const std::size_t member = (co_await make(long_text)).text.size();
    co_await make(long_text);
    co_return size_of(name) + size_of(other) + used + member;
  };
  CHECK(tine::run(loop, sizes()) == 3 * 103 + 100);
  CHECK(size_of(tine::run(loop, pass_on())) == 103);
}

TEST_CASE("compilers: all() and any() of tasks that return aggregates", "[task]") {
  TaskLoop loop;
  const auto sizes = [](Frame = {}) -> tine::Task<std::size_t> {
    const auto [first, second] = co_await tine::all(make(long_text), pass_on());
    const auto winner = co_await tine::any(make(long_text), tine::sleep(1h));
    std::vector<tine::Task<Name>> tasks;
    tasks.push_back(make(long_text));
    tasks.push_back(pass_on());
    const auto names = co_await tine::all(std::move(tasks));
    co_return size_of(first) + size_of(second) + size_of(std::get<0>(winner)) + size_of(names[1]);
  };
  CHECK(tine::run(loop, sizes()) == 4 * 103);
}

TEST_CASE("compilers: temporaries of classes with constructors are safe", "[task]") {
  TaskLoop loop;
  const auto size = [](std::string text, std::shared_ptr<std::string> shared,
                       Frame = {}) -> tine::Task<std::size_t> {
    co_await tine::sleep(1ms);
    co_return text.size() + shared->size();
  };
  const auto sizes = [&](Frame = {}) -> tine::Task<std::size_t> {
    co_return co_await size(long_text + "y", std::make_shared<std::string>(long_text)) +
        co_await size(std::string(100, 'z'), std::make_shared<std::string>("one"));
  };
  CHECK(tine::run(loop, sizes()) == 201 + 103);
}

TEST_CASE("compilers: co_await in conditions, loops and arguments", "[task]") {
  TaskLoop loop;
  const auto text = [](std::string value, Frame = {}) -> tine::Task<std::string> {
    co_await tine::sleep(1ms);
    co_return value;
  };
  const auto all = [&](Frame = {}) -> tine::Task<std::string> {
    std::string seen;
    if (const std::string value = co_await text(long_text); !value.empty()) seen += "if ";
    while (seen.size() < 10 && !(co_await text(long_text)).empty()) seen += "while ";
    for (const char c : co_await text("ab")) seen += c;
    const bool yes = (co_await text("a")).size() == 1 && (co_await text("")).empty();
    if (yes) seen += co_await text("1");
    switch ((co_await text("a")).size()) {
      case 1: seen += "switch"; break;
      default: break;
    }
    co_return seen;
  };
  CHECK(tine::run(loop, all()) == "if while while ab1switch");
}

TEST_CASE("compilers: a condition may await a value that gets a name", "[task]") {
  TaskLoop loop;
  // None of these has another local variable.
  const auto number = [](int value) -> tine::Task<int> {
    co_await tine::sleep(1ms);
    co_return value;
  };
  const auto if_it_is = [&](int value) -> tine::Task<int> {
    if (const int got = co_await number(value)) co_return got;
    co_return 2;
  };
  const auto switched = [&](int value) -> tine::Task<int> {
    switch (const int got = co_await number(value); got) {
      case 0: co_return 1;
      default: co_return got;
    }
  };
  const auto repeated = [&](int value) -> tine::Task<int> {
    while (const int got = co_await number(value)) value = got - 1;
    co_return value;
  };
  CHECK(tine::run(loop, if_it_is(0)) == 2);
  CHECK(tine::run(loop, if_it_is(1)) == 1);
  CHECK(tine::run(loop, switched(0)) == 1);
  CHECK(tine::run(loop, switched(7)) == 7);
  CHECK(tine::run(loop, repeated(3)) == 0);
}
