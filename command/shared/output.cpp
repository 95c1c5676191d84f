#include "command/shared/output.hpp"

#include <cstdio>
#include <utility>

#include "command/shared/status.hpp"

namespace tine::command {

Output::Output(Loop& loop, Stream stream, Listeners listeners)
    : loop_(loop), stream_(std::move(stream)), listeners_(std::move(listeners)) {
  stream_.on<"drain">([this] {
    full_ = false;
    listeners_.drained();
  });
  stream_.on<"error">([this](const Error& error) {
    full_ = false;
    listeners_.failed(error);
  });
}

void Output::write(std::string_view bytes) {
  constexpr std::size_t most_gathered = std::size_t{64} << 10;
  if (gathered_.empty()) loop_.post([this] { flush(); });
  gathered_ += bytes;
  if (gathered_.size() >= most_gathered) flush();
}

// A stream that is not writable, because it is empty or has failed, would refuse the bytes.
void Output::flush() {
  const std::string bytes = std::exchange(gathered_, {});
  if (bytes.empty() || !stream_.writable()) return;
  if (stream_.write(bytes) || !stream_.writable()) return;
  full_ = true;
  listeners_.full();
}

int output_status(const Error& error) {
  const bool gone =
      error.code() == std::errc::broken_pipe || error.code() == std::errc::connection_reset;
  if (gone) return status::closed_output;
  std::fprintf(stderr, "tine: stdout: %s\n", error.code().message().c_str());
  return status::io_error;
}

}  // namespace tine::command
