// error: tine: a value of this type does not convert to nlohmann::json
#include <tine/tine.hpp>

struct Opaque {};

void f(const tine::Process& process) { process.send(tine::object("a", Opaque())); }
