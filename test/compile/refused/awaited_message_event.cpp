// error: tine: a message is awaited with tine::receive()
// names: "message"
#include <tine/tine.hpp>

tine::Task<> f(tine::ChildProcess child) { co_await tine::once<"message">(child); }
