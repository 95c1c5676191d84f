#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <cstdlib>

#include "uv/subprocess.hpp"

// With TINE_TEST_UV_SPAWN set, programs are started as where there is no better way.
int main(int argc, char** argv) {
  tine::uv::Subprocess::use_uv_spawn(std::getenv("TINE_TEST_UV_SPAWN") != nullptr);
  return Catch::Session().run(argc, argv);
}
