// error: nodiscard
#include <tine/scope.hpp>

tine::Task<> f() {
  tine::Scope scope = co_await tine::Scope::open();
  scope.join();
}
