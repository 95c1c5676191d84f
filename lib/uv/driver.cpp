#include "uv/driver.hpp"

#include "uv/misuse.hpp"

namespace tine::uv {

void Driver::wrong_thread() noexcept {
  misuse(
      "a Loop, or what is on it, is used by another thread than the one that runs it; "
      "Loop::post() is the one call that any thread may make");
}

}  // namespace tine::uv
