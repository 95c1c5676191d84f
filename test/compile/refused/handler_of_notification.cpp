// error: tine: this handler of notifications takes what the params do not convert to
#include <tine/tine.hpp>

// A notification is not answered.
void f(const tine::Rpc& rpc) {
  rpc.on_notification("log", [](int, tine::Reply) {});
}
