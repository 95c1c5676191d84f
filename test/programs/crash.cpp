// Maps a gibibyte and ends by SIGNAL, without a core file.
#include <csignal>
#include <cstddef>
#include <cstdlib>

#include <sys/mman.h>
#include <sys/resource.h>

#include <tine/tine.hpp>

int main(int, char** argv) {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  mmap(nullptr, std::size_t{1} << 30, PROT_READ | PROT_WRITE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  tine::Loop loop;
  tine::Process process(loop);
  process.send("last words");
  const int signal = std::atoi(argv[1]);
  std::signal(signal, SIG_DFL);  // instead of the handler that a sanitizer installs
  raise(signal);
}
