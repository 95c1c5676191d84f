// error: tine: the parameters of this listener do not fit the event
// names: "message"
#include <tine/tine.hpp>

struct NotConvertible {
  explicit NotConvertible(int);
};

void f(tine::Process& process) {
  process.on<"message">([](NotConvertible) {});
}
