// A program with its own JSON library does not need nlohmann::json at all.
#include <string>

#include <tine/child_process.hpp>
#include <tine/loop.hpp>

void f(tine::Loop& loop) {
  tine::ChildProcess child = tine::fork(loop, "./child");
  child.on<"message">([child](tine::Text text) { child.send(text); });
  child.on<"message">([] {});
  child.on<"exit">([](const tine::ExitStatus& status) { return tine::to_string(status); });
}
