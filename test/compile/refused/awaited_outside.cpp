// error: tine: this can be awaited in a tine::Task
#include <coroutine>

#include <tine/task.hpp>

struct Other {
  struct promise_type {
    Other get_return_object() const { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const {}
    void unhandled_exception() const {}
  };
};

Other f() { co_await tine::sleep(std::chrono::seconds(1)); }
