// The JavaScript runtime at the other end of a test: the program that TINE_TEST_RUNTIME names, or
// node if it names none.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <tine/fork_options.hpp>

namespace runtime {

inline bool is_named() { return std::getenv("TINE_TEST_RUNTIME") != nullptr; }
inline std::string program() { return is_named() ? std::getenv("TINE_TEST_RUNTIME") : "node"; }

inline bool is_bun() { return program().ends_with("bun"); }
inline bool is_deno() { return program().ends_with("deno"); }

// Returns options with which the runtime runs a module. The child ends with the loop, so that a
// failed test leaves none behind.
inline tine::ForkOptions options() {
  tine::ForkOptions options;
  options.exec_path = program();
  if (is_deno()) options.exec_args = {"run", "-A"};
  options.kill_with_loop = true;
  return options;
}

inline std::filesystem::path script(std::string_view name) {
  return std::filesystem::path(INTEROP_SCRIPTS) / name;
}

}  // namespace runtime
