// error: tine: object() takes names and values in turn
#include <tine/tine.hpp>

void f(const tine::Process& process) { process.send(tine::object("a", 1, "b")); }
