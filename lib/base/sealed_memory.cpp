#include "base/sealed_memory.hpp"

#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system_code.hpp"
#include "tine/error.hpp"

namespace tine::base {

namespace {

[[noreturn]] void fail(int error, const char* step, std::size_t size) {
  throw Error(system_code(error),
              "a shared buffer of " + std::to_string(size) + " bytes could not be " + step);
}

#ifdef F_ADD_SEALS

constexpr int all_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

// Nobody executes these bytes, and a system may be set to refuse memory that could be executed.
// Linux before 6.3 does not know the flag.
Descriptor make_file() {
  constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  constexpr unsigned not_executable = 0x8;  // MFD_NOEXEC_SEAL, which a libc may not know yet
  Descriptor file(::memfd_create("tine.SharedBuffer", flags | not_executable));
  if (file.get() >= 0 || errno != EINVAL) return file;
  return Descriptor(::memfd_create("tine.SharedBuffer", flags));
}

// Returns 0 or an errno.
int seal(const Descriptor& file) {
  return ::fcntl(file.get(), F_ADD_SEALS, all_seals) == 0 ? 0 : errno;
}

bool has_all_seals(const Descriptor& file) {
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  return seals >= 0 && (seals & all_seals) == all_seals;
}

#else

Descriptor make_file() {
  errno = ENOTSUP;
  return Descriptor(-1);
}
int seal(const Descriptor&) { return ENOTSUP; }
bool has_all_seals(const Descriptor&) { return false; }

#endif

// Writes through the descriptor: through a mapping, each page would be zeroed and mapped first, and
// a lack of memory would be a signal instead of an error. Returns 0 or an errno.
int write_all(const Descriptor& file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return 0;
}

Descriptor make_file(std::size_t size) {
  Descriptor file = make_file();
  if (file.get() < 0) fail(errno, "made", size);
  return file;
}

SharedBuffer sealed(Descriptor file, std::size_t size) {
  if (const int error = seal(file)) fail(error, "sealed", size);
  return SealedMemory::map(std::move(file), size);
}

}  // namespace

SharedBuffer SealedMemory::copy_of(std::span<const std::byte> bytes) {
  Descriptor file = make_file(bytes.size());
  if (const int error = write_all(file, bytes)) fail(error, "written", bytes.size());
  return sealed(std::move(file), bytes.size());
}

// Memory that is still mapped for writing cannot be sealed.
SharedBuffer SealedMemory::filled(std::size_t size,
                                  const Callback<void(std::span<std::byte>)>& fill) {
  Descriptor file = make_file(size);
  if (::ftruncate(file.get(), static_cast<off_t>(size)) < 0) fail(errno, "made", size);
  {
    const Mapping mapping(file, size, Mapping::Access::write);
    fill(mapping.bytes());
  }
  return sealed(std::move(file), size);
}

bool SealedMemory::is_sealed(const Descriptor& descriptor, std::size_t size) {
  struct stat status {};
  return has_all_seals(descriptor) && ::fstat(descriptor.get(), &status) == 0 &&
         std::cmp_equal(status.st_size, size);
}

SharedBuffer SealedMemory::map(Descriptor descriptor, std::size_t size) {
  return SharedBuffer(std::make_shared<const SealedMemory>(std::move(descriptor), size));
}

SealedMemory::SealedMemory(Descriptor descriptor, std::size_t size)
    : descriptor_(std::move(descriptor)), mapping_(descriptor_, size, Mapping::Access::read) {}

// The mapping for reading is private, because Linux before 6.7 takes a shared one of a descriptor
// that is open for writing as a way to write, which the seal forbids. Without writing, the pages of
// a private mapping are those of the file.
SealedMemory::Mapping::Mapping(const Descriptor& file, std::size_t size, Access access) {
  if (size == 0) return;
  const bool writes = access == Access::write;
  void* const begin = ::mmap(nullptr, size, writes ? PROT_READ | PROT_WRITE : PROT_READ,
                             writes ? MAP_SHARED : MAP_PRIVATE, file.get(), 0);
  if (begin == MAP_FAILED) fail(errno, "mapped", size);
  bytes_ = {static_cast<std::byte*>(begin), size};
}

SealedMemory::Mapping::~Mapping() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace tine::base
