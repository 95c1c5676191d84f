#include <array>
#include <charconv>
#include <csignal>

#include "command/script/transcript.hpp"

namespace tine::command {

namespace {

struct Name {
  std::string_view text;
  int number;
};

constexpr std::array names = std::to_array<Name>({
    {"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT},     {"SIGILL", SIGILL},
    {"SIGTRAP", SIGTRAP}, {"SIGABRT", SIGABRT}, {"SIGBUS", SIGBUS},       {"SIGFPE", SIGFPE},
    {"SIGKILL", SIGKILL}, {"SIGUSR1", SIGUSR1}, {"SIGSEGV", SIGSEGV},     {"SIGUSR2", SIGUSR2},
    {"SIGPIPE", SIGPIPE}, {"SIGALRM", SIGALRM}, {"SIGTERM", SIGTERM},     {"SIGCHLD", SIGCHLD},
    {"SIGCONT", SIGCONT}, {"SIGSTOP", SIGSTOP}, {"SIGTSTP", SIGTSTP},     {"SIGTTIN", SIGTTIN},
    {"SIGTTOU", SIGTTOU}, {"SIGURG", SIGURG},   {"SIGXCPU", SIGXCPU},     {"SIGXFSZ", SIGXFSZ},
    {"SIGPROF", SIGPROF}, {"SIGIO", SIGIO},     {"SIGVTALRM", SIGVTALRM}, {"SIGWINCH", SIGWINCH},
    {"SIGSYS", SIGSYS},
});

constexpr std::string_view prefix_of_names = "SIG";

}  // namespace

std::string signal_name(int signal) {
  for (const Name& name : names) {
    if (name.number == signal) return std::string(name.text);
  }
  return std::string(prefix_of_names) + std::to_string(signal);
}

std::optional<int> signal_number(std::string_view text) {
  for (const Name& name : names) {
    if (name.text == text) return name.number;
  }
  if (!text.starts_with(prefix_of_names)) return std::nullopt;
  const std::string_view digits = text.substr(prefix_of_names.size());
  int number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc() && stop == digits.data() + digits.size();
  if (!whole || number <= 0 || number >= NSIG) return std::nullopt;
  return number;
}

}  // namespace tine::command
