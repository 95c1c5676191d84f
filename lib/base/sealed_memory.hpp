#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/descriptor.hpp"
#include "tine/callback.hpp"
#include "tine/shared_buffer.hpp"

namespace tine::base {

// The memory behind a SharedBuffer: a memfd whose bytes and size are sealed, mapped for reading.
class SealedMemory {
 public:
  // Make memory that is sealed. They throw Error.
  static SharedBuffer copy_of(std::span<const std::byte> bytes);
  static SharedBuffer filled(std::size_t size, const Callback<void(std::span<std::byte>)>& fill);

  // Returns whether the descriptor is memory of this size that nobody can change. Nothing else may
  // be mapped: if another process shortened it, reading the bytes would raise SIGBUS.
  static bool is_sealed(const Descriptor& descriptor, std::size_t size);
  // Maps such memory. Throws Error.
  static SharedBuffer map(Descriptor descriptor, std::size_t size);

  // Returns what is behind a buffer that is not an empty handle.
  static const SealedMemory& of(const SharedBuffer& buffer) { return *buffer.memory_; }

  SealedMemory(Descriptor descriptor, std::size_t size);
  SealedMemory(const SealedMemory&) = delete;
  SealedMemory& operator=(const SealedMemory&) = delete;

  const Descriptor& descriptor() const { return descriptor_; }
  std::span<const std::byte> bytes() const { return mapping_.bytes(); }

 private:
  // Bytes of a file in memory. Nothing is mapped if there are none.
  class Mapping {
   public:
    enum class Access { read, write };
    Mapping(const Descriptor& file, std::size_t size, Access access);
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping();

    std::span<std::byte> bytes() const { return bytes_; }

   private:
    std::span<std::byte> bytes_;
  };

  Descriptor descriptor_;
  Mapping mapping_;
};

}  // namespace tine::base
