// error: tine: the parameters of this listener do not fit the event
// names: "message"
#include <tine/tine.hpp>

void f(tine::ChildProcess& child) {
  child.on<"message">([](int, int) {});
}
