// error: tine: the callback of a request takes a tine::Result, or nothing
#include <tine/tine.hpp>

void f(const tine::Rpc& rpc) {
  rpc.request("add").then([](int) {});
}
