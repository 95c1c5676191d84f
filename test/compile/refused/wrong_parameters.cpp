// error: tine: the parameters of this listener do not fit the event
// names: "exit"
#include <string>

#include <tine/tine.hpp>

void f(tine::ChildProcess& child) {
  child.on<"exit">([](std::string, int) {});
}
