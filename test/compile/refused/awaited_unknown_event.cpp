// error: tine: this emitter has no event of that name
// names: "exit"
#include <tine/tine.hpp>

// "exit" is an event of the parent's side only.
tine::Task<> f(tine::Process& process) { co_await tine::once<"exit">(process); }
