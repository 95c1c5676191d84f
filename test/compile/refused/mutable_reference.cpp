// error: tine: the parameters of this listener do not fit the event
// names: "message"
#include <tine/tine.hpp>

// A value that may be changed is taken by value: what came in belongs to the other listeners too.
void f(tine::Process& process) {
  process.on<"message">([](nlohmann::json&) {});
}
