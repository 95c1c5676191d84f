// error: tine: this handler of requests takes what the params do not convert to
#include <tine/tine.hpp>

struct NotConvertible {
  explicit NotConvertible(int);
};

void f(const tine::Rpc& rpc) {
  rpc.on_request("add", [](NotConvertible, tine::Reply) {});
}
