// error: tine: this emitter has no event of that name
// names: "exit"
#include <tine/tine.hpp>

// "exit" is an event of the parent's side only.
void f(tine::Process& process) {
  process.once<"exit">([] {});
}
