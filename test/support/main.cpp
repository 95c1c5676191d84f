#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <cstdlib>

#include <fcntl.h>

#include "uv/subprocess.hpp"

// With TINE_TEST_UV_SPAWN set, programs are started as where there is no better way. Descriptors 0 to 2 are
// open, whoever has started this: tests pass them on, and count from there.
int main(int argc, char** argv) {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) == -1) open("/dev/null", O_RDWR);
  }
  tine::uv::Subprocess::use_uv_spawn(std::getenv("TINE_TEST_UV_SPAWN") != nullptr);
  return Catch::Session().run(argc, argv);
}
