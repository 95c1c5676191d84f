// tine's child for payloads, however they come: in a SharedBuffer, a Buffer or a string. It answers
// as child_task.hpp says, with the sum of the bytes.
#include <cstddef>
#include <span>
#include <string>

#include <tine/tine.hpp>

#include "child_task.hpp"
#include "payload.hpp"

namespace {

std::span<const std::byte> bytes_of(const nlohmann::json& message,
                                    const tine::SharedBuffer& buffer) {
  if (buffer) return buffer.bytes();
  if (message.is_binary()) return std::as_bytes(std::span(message.get_binary()));
  return std::as_bytes(std::span(message.get_ref<const std::string&>()));
}

}  // namespace

int main(int argc, char** argv) {
  bench::ChildTask task(argc, argv);
  tine::Loop loop;
  tine::Process process(loop);
  process.on<"message">([&](const nlohmann::json& message, const tine::SharedBuffer& buffer) {
    const auto sum = bench::sum(bytes_of(message, buffer));
    if (task.received()) process.send(sum);
  });
  loop.run();
}
