// error: nodiscard
#include <tine/scope.hpp>

tine::Task<> f() {
  tine::Scope::open();
  co_return;
}
