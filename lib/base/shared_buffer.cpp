#include "tine/shared_buffer.hpp"

#include <utility>

#include "base/sealed_memory.hpp"

namespace tine {

using base::SealedMemory;

SharedBuffer::SharedBuffer(std::shared_ptr<const SealedMemory> memory)
    : memory_(std::move(memory)) {}

SharedBuffer::SharedBuffer(std::span<const std::byte> bytes)
    : SharedBuffer(SealedMemory::copy_of(bytes)) {}

SharedBuffer::SharedBuffer(std::string_view bytes)
    : SharedBuffer(std::as_bytes(std::span(bytes))) {}

SharedBuffer SharedBuffer::make(std::size_t size, Callback<void(std::span<std::byte>)> fill) {
  return SealedMemory::filled(size, fill);
}

std::span<const std::byte> SharedBuffer::bytes() const {
  return memory_ ? memory_->bytes() : std::span<const std::byte>();
}

std::string_view SharedBuffer::text() const {
  const auto all = bytes();
  return {reinterpret_cast<const char*>(all.data()), all.size()};
}

}  // namespace tine
