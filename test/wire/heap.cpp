#include "wire/heap.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> allocated_blocks{0};
std::atomic<std::size_t> allocated_bytes{0};
std::atomic<int> until_failure{-1};

// Each block has its size stored in front of it.
constexpr std::size_t header = alignof(std::max_align_t);
static_assert(header >= sizeof(std::size_t));

void* allocate(std::size_t size) noexcept {
  if (until_failure >= 0 && until_failure-- == 0) return nullptr;
  auto* const block = static_cast<std::size_t*>(std::malloc(size + header));
  if (block == nullptr) return nullptr;
  *block = size;
  ++allocated_blocks;
  allocated_bytes += size;
  return reinterpret_cast<char*>(block) + header;
}

void* allocate_or_throw(std::size_t size) {
  if (void* const bytes = allocate(size)) return bytes;
  throw std::bad_alloc();
}

void release(void* bytes) noexcept {
  if (bytes == nullptr) return;
  auto* const block = reinterpret_cast<std::size_t*>(static_cast<char*>(bytes) - header);
  allocated_bytes -= *block;
  std::free(block);
}

}  // namespace

std::size_t heap::allocations() { return allocated_blocks; }
std::size_t heap::live_bytes() { return allocated_bytes; }
void heap::fail_after(int count) { until_failure = count; }

void* operator new(std::size_t size) { return allocate_or_throw(size); }
void* operator new[](std::size_t size) { return allocate_or_throw(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* bytes) noexcept { release(bytes); }
void operator delete[](void* bytes) noexcept { release(bytes); }
void operator delete(void* bytes, std::size_t) noexcept { release(bytes); }
void operator delete[](void* bytes, std::size_t) noexcept { release(bytes); }
void operator delete(void* bytes, const std::nothrow_t&) noexcept { release(bytes); }
void operator delete[](void* bytes, const std::nothrow_t&) noexcept { release(bytes); }
