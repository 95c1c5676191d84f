#include <array>
#include <csignal>

#include "command/script/transcript.hpp"

namespace tine::command {

namespace {

struct Name {
  std::string_view text;
  int number;
};

constexpr std::array<Name, 20> names{{
    {"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT}, {"SIGILL", SIGILL},
    {"SIGTRAP", SIGTRAP}, {"SIGABRT", SIGABRT}, {"SIGBUS", SIGBUS},   {"SIGFPE", SIGFPE},
    {"SIGKILL", SIGKILL}, {"SIGUSR1", SIGUSR1}, {"SIGSEGV", SIGSEGV}, {"SIGUSR2", SIGUSR2},
    {"SIGPIPE", SIGPIPE}, {"SIGALRM", SIGALRM}, {"SIGTERM", SIGTERM}, {"SIGCHLD", SIGCHLD},
    {"SIGCONT", SIGCONT}, {"SIGSTOP", SIGSTOP}, {"SIGXCPU", SIGXCPU}, {"SIGWINCH", SIGWINCH},
}};

}  // namespace

std::string signal_name(int signal) {
  for (const Name& name : names) {
    if (name.number == signal) return std::string(name.text);
  }
  return std::to_string(signal);
}

std::optional<int> signal_number(std::string_view text) {
  for (const Name& name : names) {
    if (name.text == text) return name.number;
  }
  return std::nullopt;
}

}  // namespace tine::command
