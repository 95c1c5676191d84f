// Answers raw lines one by one. With "echo batched", sends back each chunk as it came.
#include <cstring>

#include "child_task.hpp"
#include "lines.hpp"

namespace {

constexpr int channel = 3;
char chunk[bench::chunk_size];

// Sends back each chunk as it came, which is right only if all messages are answered.
void echo_batched() {
  for (;;) {
    const auto bytes = bench::read_some(channel, chunk);
    if (bytes.empty()) return;
    bench::write_all(channel, bytes);
  }
}

void answer_line_by_line(bench::ChildTask& task) {
  std::string line;
  for (;;) {
    auto bytes = bench::read_some(channel, chunk);
    if (bytes.empty()) return;
    for (std::size_t end; (end = bytes.find('\n')) != std::string_view::npos;
         bytes.remove_prefix(end + 1)) {
      line += bytes.substr(0, end + 1);
      if (task.received()) bench::write_all(channel, line);
      line.clear();
    }
    line += bytes;
  }
}

}  // namespace

int main(int argc, char** argv) {
  bench::ChildTask task(argc, argv);
  if (argc > 2 && std::strcmp(argv[1], "echo") == 0 && std::strcmp(argv[2], "batched") == 0) {
    echo_batched();
  } else {
    answer_line_by_line(task);
  }
}
