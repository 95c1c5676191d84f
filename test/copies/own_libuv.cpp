// Parent and child of an application that runs its own libuv beside tine. tine contains another
// libuv, which only tine can call.
#include <iostream>
#include <string_view>

#include <uv.h>

#include <tine/tine.hpp>

namespace {

// Runs a timer on a loop of the application's own libuv. Returns whether the timer ran and the loop
// was closed.
bool runs_own_loop() {
  uv_loop_t loop;
  uv_timer_t timer;
  bool expired = false;
  timer.data = &expired;
  if (uv_loop_init(&loop) != 0 || uv_timer_init(&loop, &timer) != 0) return false;
  uv_timer_start(
      &timer,
      [](uv_timer_t* handle) {
        *static_cast<bool*>(handle->data) = true;
        uv_close(reinterpret_cast<uv_handle_t*>(handle), nullptr);
      },
      1, 0);
  uv_run(&loop, UV_RUN_DEFAULT);
  return uv_loop_close(&loop) == 0 && expired && uv_version() == UV_VERSION_HEX;
}

// Returns whether tine refuses to share a loop, with an exception that gives the reason.
template <class F>
bool is_refused(F share) {
  try {
    share();
  } catch (const tine::Error& error) {
    return std::string_view(error.what()).find("cannot share a loop") != std::string_view::npos;
  }
  return false;
}

bool refuses_to_share() {
  uv_loop_t borrowed;
  if (uv_loop_init(&borrowed) != 0) return false;
  const tine::Loop own;
  const bool refused = is_refused([&] { const tine::Loop loop(&borrowed); }) &&
                       is_refused([&] { static_cast<void>(own.native()); });
  return uv_loop_close(&borrowed) == 0 && refused;
}

int child() {
  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">(
      [&](const nlohmann::json& message) { process.send(runs_own_loop() ? message : nullptr); });
  loop.run();
  return 0;
}

int parent() {
  tine::Loop loop;
  bool good = refuses_to_share() && runs_own_loop();
  auto child = tine::fork(loop, tine::executable_dir() / "own_libuv", {.args = {"child"}});
  nlohmann::json answer;
  child.on<"message">([&](const nlohmann::json& message) {
    answer = message;
    child.disconnect();
  });
  child.send("Hello");
  loop.run();
  good = good && answer == "Hello" && runs_own_loop();
  std::cout << (good ? "each has its own\n" : "they meet\n");
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char**) { return argc > 1 ? child() : parent(); }
