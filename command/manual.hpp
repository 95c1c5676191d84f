#pragma once

#include <string>
#include <string_view>

#include <CLI/App.hpp>
#include <CLI/Formatter.hpp>

namespace tine::command {

inline constexpr const char* summary = "talk to child processes on the channel of Node's fork()";

// `--help`, the man page and the completions come from one source: CLI11's options and the prose in
// manual.cpp.

class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_footer(const CLI::App* app) const override;
};

std::string man_page(const CLI::App& app);

// Returns the completion script for bash, zsh or fish.
std::string completion(const CLI::App& app, std::string_view shell);

}  // namespace tine::command
