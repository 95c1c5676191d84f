#include "uv/misuse.hpp"

#include <cstdio>
#include <cstdlib>

namespace tine::uv {

void misuse(const char* sentence) noexcept {
  std::fprintf(stderr, "tine: %s\n", sentence);
  std::abort();
}

}  // namespace tine::uv
