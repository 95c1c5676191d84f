// A libuv at run time that differs from the one that tine was compiled with.
#include <cstddef>
#include <string>

#include <uv.h>

#include <tine/error.hpp>
#include <tine/loop.hpp>

#include "support/catch.hpp"

namespace {

// The values that libuv reports about itself. 0 means the real value.
struct Pretended {
  unsigned version = 0;
  std::size_t loop_size = 0;
  std::size_t poll_size = 0;
};
Pretended pretended;

std::string refusal(const Pretended& libuv) {
  pretended = libuv;
  std::string text;
  try {
    tine::Loop loop;
  } catch (const tine::Error& error) {
    CHECK(error.code() == std::errc::not_supported);
    text = error.what();
  }
  pretended = {};
  return text;
}

}  // namespace

// NOLINTBEGIN: the linker prescribes these names
extern "C" {
unsigned __real_uv_version();
std::size_t __real_uv_loop_size();
std::size_t __real_uv_handle_size(uv_handle_type type);
unsigned __wrap_uv_version();
std::size_t __wrap_uv_loop_size();
std::size_t __wrap_uv_handle_size(uv_handle_type type);

unsigned __wrap_uv_version() {
  return pretended.version != 0 ? pretended.version : __real_uv_version();
}
std::size_t __wrap_uv_loop_size() {
  return pretended.loop_size != 0 ? pretended.loop_size : __real_uv_loop_size();
}
std::size_t __wrap_uv_handle_size(uv_handle_type type) {
  return type == UV_POLL && pretended.poll_size != 0 ? pretended.poll_size
                                                     : __real_uv_handle_size(type);
}
}
// NOLINTEND

TEST_CASE("libuv: the first loop refuses another libuv than at compile time, and names both",
          "[uv]") {
  const std::string both = "tine was compiled with libuv " + std::to_string(UV_VERSION_MAJOR) +
                           "." + std::to_string(UV_VERSION_MINOR) + "." +
                           std::to_string(UV_VERSION_PATCH) + ", but the program runs libuv " +
                           uv_version_string();

  CHECK(refusal({.version = (UV_VERSION_MAJOR + 1) << 16}).starts_with(both + "; "));
  CHECK(refusal({.loop_size = sizeof(uv_loop_t) + 8})
            .starts_with(both + ", whose structs have other sizes; "));
  CHECK(refusal({.poll_size = sizeof(uv_poll_t) + 8})
            .starts_with(both + ", whose structs have other sizes; "));

  // The refusal leaves a borrowed loop intact.
  uv_loop_t borrowed;
  REQUIRE(uv_loop_init(&borrowed) == 0);
  pretended.loop_size = sizeof(uv_loop_t) + 8;
  CHECK_THROWS_AS(tine::Loop(&borrowed), tine::Error);
  pretended = {};
  CHECK(uv_loop_close(&borrowed) == 0);
}

TEST_CASE("libuv: another minor version is accepted, also after a refusal", "[uv]") {
  CHECK(refusal({.version = UV_VERSION_HEX + 0x100}).empty());
}
