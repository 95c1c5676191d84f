// Reads payloads from a pipe, each into the same memory, and answers as child_task.hpp says, with
// their sums. Arguments, behind the task: the descriptor for the answers, the size of a payload.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "child_task.hpp"
#include "payload.hpp"
#include "pipe/pipe.hpp"

int main(int argc, char** argv) {
  constexpr int payloads = 3;
  bench::ChildTask task(argc, argv);
  const int answers = std::atoi(argv[argc - 2]);
  std::vector<std::byte> bytes(std::strtoul(argv[argc - 1], nullptr, 10));
  std::uint64_t sum = 0;  // the answer to the greeting, which does not come over the pipe
  const auto next = [&] {
    const bool came = bench::read_all(payloads, bytes.data(), bytes.size());
    sum = bench::sum(bytes);
    return came;
  };
  do {
    if (task.received()) {
      bench::write_all(answers, {reinterpret_cast<const char*>(&sum), sizeof sum});
    }
  } while (next());
}
