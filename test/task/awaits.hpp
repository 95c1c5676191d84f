// Every kind of await, for tests that stop or destroy a task in each of them.
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include <tine/rpc.hpp>

#include "task/task_test.hpp"

// What the tasks below await. Nothing of it comes by itself.
struct Silence {
  explicit Silence(TestLoop& loop) : child(loop.fork("requests", {.kill_with_loop = true})) {}

  tine::ChildProcess child;
  Bell bell;
};

struct Await {
  std::string name;
  tine::Task<> (*task)(Silence silence, Frame frame);
};

inline std::vector<Await> all_awaits() {
  using namespace std::chrono_literals;
  using tine::Task;
  return {
      {"sleep", [](Silence, Frame) -> Task<> { co_await tine::sleep(1h); }},
      {"once", [](Silence silence, Frame) -> Task<> { co_await tine::once<"stop">(silence.bell); }},
      {"once within",
       [](Silence silence, Frame) -> Task<> {
         co_await tine::once<"number">(silence.bell).within(1h);
       }},
      {"once of a child",
       [](Silence silence, Frame) -> Task<> { co_await tine::once<"exit">(silence.child); }},
      {"receive", [](Silence silence, Frame) -> Task<> { co_await tine::receive(silence.child); }},
      {"receive within",
       [](Silence silence, Frame) -> Task<> {
         co_await tine::receive<int>(silence.child).within(1h);
       }},
      {"request",
       [](Silence silence, Frame) -> Task<> {
         co_await tine::Rpc(silence.child).request<int>("wait");
       }},
      {"request within",
       [](Silence silence, Frame) -> Task<> {
         co_await tine::Rpc(silence.child).request("wait", tine::object("a", 1)).within(1h);
       }},
      {"task",
       [](Silence silence, Frame) -> Task<> {
         const auto inner = [](Bell bell, Frame = {}) -> Task<int> {
           co_await tine::once<"stop">(bell);
           co_return 1;
         };
         co_await inner(silence.bell);
       }},
      {"task within",
       [](Silence silence, Frame) -> Task<> {
         const auto inner = [](Bell bell, Frame = {}) -> Task<> {
           co_await tine::once<"stop">(bell);
         };
         co_await inner(silence.bell).within(1h);
       }},
      {"all",
       [](Silence silence, Frame) -> Task<> {
         co_await tine::all(tine::sleep(1h), tine::receive(silence.child),
                            tine::once<"number">(silence.bell));
       }},
      {"all, one of which has ended",
       [](Silence silence, Frame) -> Task<> {
         const auto quick = [](Frame = {}) -> Task<int> { co_return 1; };
         co_await tine::all(quick(), tine::once<"number">(silence.bell));
       }},
      {"any",
       [](Silence silence, Frame) -> Task<> {
         co_await tine::any(tine::sleep(1h), tine::receive(silence.child));
       }},
      {"all of all and any",
       [](Silence silence, Frame) -> Task<> {
         co_await tine::all(tine::all(tine::sleep(1h), tine::sleep(1h)),
                            tine::any(tine::receive(silence.child), tine::sleep(1h)));
       }},
      {"join",
       [](Silence silence, Frame) -> Task<> {
         auto scope = co_await tine::Scope::open();
         for (int i = 0; i < 3; ++i) {
           scope.start([](Bell bell, Frame = {}) -> Task<> {
             co_await tine::once<"stop">(bell);
           }(silence.bell));
         }
         co_await scope.join();
       }},
      {"an open scope",
       [](Silence silence, Frame) -> Task<> {
         auto scope = co_await tine::Scope::open();
         scope.start([](Bell bell, Frame = {}) -> Task<> {
           co_await tine::once<"stop">(bell);
         }(silence.bell));
         co_await tine::sleep(1h);
       }},
  };
}
