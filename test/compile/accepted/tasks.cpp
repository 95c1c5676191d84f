// Tasks in a program that is compiled with all warnings, by g++ without -O and by clang++.
#include <chrono>
#include <memory>
#include <string>
#include <variant>

#include <tine/tine.hpp>

using namespace std::chrono_literals;

namespace {

tine::Task<int> number() { co_return 1; }

tine::Task<std::string> ask(tine::ChildProcess child) {
  child.send("Hello");
  while (auto message = co_await tine::receive(child)) {
    if (message->is_string()) co_return message->get<std::string>();
  }
  const tine::ExitStatus status = co_await tine::once<"exit">(child).within(1s);
  co_return tine::to_string(status);
}

tine::Task<> all(tine::ChildProcess child) {
  auto [answer, count] = co_await tine::all(ask(child), number());
  const auto first = co_await tine::any(tine::receive<int>(child).within(1s), tine::sleep(1ms));
  if (first.index() == 0 && std::get<0>(first)) count += *std::get<0>(first);
  auto scope = co_await tine::Scope::open();
  scope.start([](std::unique_ptr<int> owned) -> tine::Task<> {
    co_await tine::sleep(std::chrono::milliseconds(*owned));
  }(std::make_unique<int>(count)));
  co_await scope.join();
}

}  // namespace

void f(tine::Loop& loop, tine::ChildProcess child, std::stop_token stop) {
  tine::start(loop, all(child), stop);
  tine::start(loop, [child]() -> tine::Task<> { co_await ask(child); });
  static_cast<void>(tine::run(loop, ask(child).within(1s)));
}
