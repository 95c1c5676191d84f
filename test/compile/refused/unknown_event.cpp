// error: tine: this emitter has no event of that name
// names: "mesage"
#include <tine/tine.hpp>

void f(tine::ChildProcess& child) {
  child.on<"mesage">([](const nlohmann::json&) {});
}
