// error: tine: the parameters of this listener do not fit the event
// names: "message"
#include <tine/tine.hpp>

// A listener that changes the value takes a copy, because the other listeners get the same value.
void f(tine::Process& process) {
  process.on<"message">([](nlohmann::json&) {});
}
