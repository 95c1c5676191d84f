// Three ways to give up a child that does not answer: a deadline for one message, a deadline for a
// whole task, and a race against a timer.
#include <iostream>
#include <variant>

#include <tine/tine.hpp>

using namespace std::chrono_literals;

namespace {

tine::Task<> one_message(tine::ChildProcess child) {
  try {
    co_await tine::receive(child).within(10ms);
  } catch (const tine::Error& error) {
    std::cout << "one message: " << error.what() << std::endl;
  }
}

tine::Task<> conversation(tine::ChildProcess child) {
  child.send("Are you there?");
  while (auto message = co_await tine::receive(child)) std::cout << *message << std::endl;
}

tine::Task<> whole_task(tine::ChildProcess child) {
  try {
    co_await conversation(child).within(10ms);
  } catch (const tine::Error& error) {
    std::cout << "whole task: " << error.what() << std::endl;
  }
}

tine::Task<> race(tine::ChildProcess child) {
  const auto first = co_await tine::any(tine::receive(child), tine::sleep(10ms));
  std::cout << "race: " << (first.index() == 0 ? "a message" : "the timer") << std::endl;
}

tine::Task<> all_ways(tine::Loop& loop) {
  auto child = tine::fork(loop, tine::executable_dir() / "silent");
  co_await one_message(child);
  co_await whole_task(child);
  co_await race(child);
  child.kill();
  co_await tine::once<"close">(child);
}

}  // namespace

int main() {
  tine::Loop loop;
  tine::run(loop, all_ways(loop));
}
