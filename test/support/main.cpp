#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <cstdlib>

#include <fcntl.h>

#include "spawn/subprocess.hpp"

// If TINE_TEST_UV_SPAWN is set, programs are started by uv_spawn(), as on a system without pidfd.
// Opens descriptors 0 to 2 if they are closed, because tests pass them on and rely on their
// numbers.
int main(int argc, char** argv) {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) == -1) open("/dev/null", O_RDWR);
  }
  tine::spawn::Subprocess::use_uv_spawn(std::getenv("TINE_TEST_UV_SPAWN") != nullptr);
  return Catch::Session().run(argc, argv);
}
