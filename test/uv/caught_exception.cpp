// What a listener throws is kept for run(), or goes to the handler.
#include "uv/caught_exception.hpp"

#include <exception>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"

using tine::uv::CaughtException;

namespace {

// Calls `then` as a catch clause would for an exception with that text.
template <class F>
void caught(const char* text, F then) {
  try {
    throw std::runtime_error(text);
  } catch (...) {
    then();
  }
}

}  // namespace

TEST_CASE("caught exception: is thrown once, and the loop stays halted until it goes on", "[uv]") {
  CaughtException exception;
  exception.rethrow();  // nothing was kept
  CHECK_FALSE(exception.halted());
  caught("kept", [&] { exception.keep(); });
  CHECK(exception.halted());
  CHECK_THROWS_WITH(exception.rethrow(), "kept");
  exception.rethrow();
  CHECK(exception.halted());
  exception.go_on();
  CHECK_FALSE(exception.halted());
}

TEST_CASE("caught exception: the handler gets one that nobody keeps", "[uv]") {
  CaughtException exception;
  std::string text;
  exception.set_handler([&](std::exception_ptr given) {
    try {
      std::rethrow_exception(given);
    } catch (const std::exception& error) {
      text = error.what();
    }
  });
  caught("handled", [&] { exception.handle(); });
  CHECK(text == "handled");
  CHECK_FALSE(exception.halted());
}
