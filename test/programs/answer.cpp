// Sends back each message, but ends by SIGABRT at message number COUNT, without a core file.
#include <csignal>
#include <cstdlib>

#include <sys/resource.h>

#include <tine/tine.hpp>

int main(int, char** argv) {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&, left = std::atoi(argv[1])](const nlohmann::json& message) mutable {
    if (--left > 0) return static_cast<void>(process.send(message));
    std::signal(SIGABRT, SIG_DFL);  // instead of the handler that a sanitizer installs
    std::abort();
  });
  loop.run();
}
