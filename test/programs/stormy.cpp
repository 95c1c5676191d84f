// Sends back each message, like `echo`, while a signal each millisecond makes system calls fail
// with EINTR.
#include <csignal>

#include <sys/time.h>

#include <tine/tine.hpp>

int main() {
  struct sigaction action {};  // without SA_RESTART
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, nullptr);
  const timeval millisecond{0, 1000};
  const itimerval timer{millisecond, millisecond};
  setitimer(ITIMER_REAL, &timer, nullptr);

  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&](const nlohmann::json& message) { process.send(message); });
  loop.run();
}
