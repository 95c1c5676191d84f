// Shared buffers in one process: their bytes, their seals, and what the system may refuse.
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sealed_memory.hpp"
#include "support/catch.hpp"
#include "support/invariants.hpp"
#include "support/no_descriptors.hpp"
#include "support/signal_action.hpp"
#include "support/test_loop.hpp"

using tine::SharedBuffer;
using tine::base::SealedMemory;

namespace {

constexpr std::string_view name = "/memfd:tine.SharedBuffer";

// Returns how many shared buffers this process has mapped.
int mapped() {
  int count = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) count += line.find(name) != line.npos;
  return count;
}

// Returns how many descriptors of shared buffers this process has, and one of them.
struct Open {
  int count = 0;
  int fd = -1;
};
Open open_buffers() {
  Open open;
  for (const auto& [fd, target] : open_descriptors()) {
    if (!target.starts_with(name)) continue;
    ++open.count;
    open.fd = fd;
  }
  return open;
}

// Returns the error that a call throws.
template <class F>
tine::Error error_of(F call) {
  try {
    call();
  } catch (const tine::Error& error) {
    return error;
  }
  FAIL("it throws nothing");
  throw std::logic_error("not reached");
}

// While it lives, no file may become longer than this.
class ShortFiles {
 public:
  explicit ShortFiles(rlim_t most) : ignored_(SIGXFSZ, SIG_IGN) {
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit shorter{most, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &shorter) == 0);
  }
  ShortFiles(const ShortFiles&) = delete;
  ShortFiles& operator=(const ShortFiles&) = delete;
  ~ShortFiles() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  SignalAction ignored_;
  rlimit before_{};
};

void write_nothing(std::span<std::byte>) {}

}  // namespace

TEST_CASE("shared buffer: it has a copy of the bytes", "[base]") {
  const std::size_t size = GENERATE(std::size_t{1}, std::size_t{4096}, std::size_t{1'000'001});
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i % 251);
  const SharedBuffer of_text(bytes);
  const SharedBuffer of_bytes(std::as_bytes(std::span(bytes)));
  const std::string before = bytes;
  bytes.assign(size, 'x');
  CHECK(of_text);
  CHECK(of_text.size() == size);
  CHECK(of_text.text() == before);
  CHECK(of_bytes.text() == before);
  CHECK(static_cast<const void*>(of_bytes.bytes().data()) == of_bytes.text().data());
}

TEST_CASE("shared buffer: an empty one is a buffer, an empty handle is none", "[base]") {
  for (const SharedBuffer& none : {SharedBuffer(""), SharedBuffer(std::span<const std::byte>()),
                                   SharedBuffer::make(0, write_nothing)}) {
    CHECK(none);
    CHECK(none.bytes().empty());
  }
  CHECK_FALSE(SharedBuffer());
  CHECK(SharedBuffer().bytes().empty());
  CHECK(SharedBuffer().text().empty());
}

TEST_CASE("shared buffer: it is filled in place, and the rest is zeros", "[base]") {
  int calls = 0;
  const void* place = nullptr;
  const SharedBuffer buffer = SharedBuffer::make(10'000, [&](std::span<std::byte> to) {
    ++calls;
    CHECK(to.size() == 10'000);
    to[0] = std::byte{'a'};
    to[9'998] = std::byte{'b'};
    place = to.data();
  });
  CHECK(calls == 1);
  CHECK(place != nullptr);
  std::string expected(10'000, '\0');
  expected[0] = 'a';
  expected[9'998] = 'b';
  CHECK(buffer.text() == expected);
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  CHECK(reinterpret_cast<std::uintptr_t>(buffer.bytes().data()) % page == 0);
}

TEST_CASE("shared buffer: nobody can change its bytes or its size", "[base]") {
  const bool in_place = GENERATE(true, false);
  const SharedBuffer buffer =
      in_place ? SharedBuffer::make(5'000, write_nothing) : SharedBuffer(std::string(5'000, '\0'));
  const int fd = SealedMemory::of(buffer).descriptor().get();
  const auto refused = [](auto result) { return result == -1 && errno == EPERM; };
  CHECK(refused(pwrite(fd, "x", 1, 0)));
  CHECK(refused(ftruncate(fd, 4'999)));
  CHECK(refused(ftruncate(fd, 5'001)));
  CHECK(refused(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4'096)));
  CHECK(mmap(nullptr, 5'000, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
  CHECK(refused(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)));
  CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(buffer.text() == std::string(5'000, '\0'));
}

TEST_CASE("shared buffer: copies share the mapping, and the last one releases it", "[base]") {
  const int before = mapped();
  std::vector<SharedBuffer> copies{SharedBuffer("picture")};
  copies.push_back(copies[0]);
  copies.push_back(copies[1]);
  CHECK(mapped() == before + 1);
  CHECK(open_buffers().count == 1);
  CHECK(copies[2].bytes().data() == copies[0].bytes().data());
  while (copies.size() > 1) copies.erase(copies.begin());
  CHECK(copies[0].text() == "picture");
  copies.clear();
  CHECK(mapped() == before);
  CHECK(open_buffers().count == 0);
}

TEST_CASE("shared buffer: it may be made and used in any thread", "[base]") {
  SharedBuffer buffer;
  std::thread([&] { buffer = SharedBuffer("made there"); }).join();
  std::string read;
  std::thread([&read, buffer] { read = buffer.text(); }).join();
  CHECK(read == "made there");
}

TEST_CASE("shared buffer: pages that are not touched take no memory", "[base]") {
  constexpr std::size_t size = 1024 * mebibyte;
  const PeakMemory peak;
  const SharedBuffer buffer =
      SharedBuffer::make(size, [](std::span<std::byte> to) { to.back() = std::byte{'x'}; });
  CHECK(buffer.text().back() == 'x');
  CHECK(buffer.size() == size);
  if (!sanitized) CHECK(peak.growth() < 64 * mebibyte);
}

TEST_CASE("shared buffer: what fill throws comes out of make(), and nothing is left", "[base]") {
  const int before = mapped();
  const auto fill = [](std::span<std::byte>) { throw std::runtime_error("no picture"); };
  CHECK_THROWS_WITH(SharedBuffer::make(100, fill), "no picture");
  CHECK(mapped() == before);
  CHECK(open_buffers().count == 0);
}

// --- what the system may refuse

TEST_CASE("shared buffer: without a free descriptor, making one is an error", "[base]") {
  const auto both = [] {
    const NoDescriptors none;
    return std::vector{error_of([] { SharedBuffer("x"); }),
                       error_of([] { SharedBuffer::make(2, write_nothing); })};
  }();
  for (const tine::Error& error : both) CHECK(error.code() == std::errc::too_many_files_open);
  CHECK_THAT(both[0].what(), StartsWith("a shared buffer of 1 bytes could not be made"));
}

TEST_CASE("shared buffer: a lack of room for the bytes is an error", "[base]") {
  const std::string bytes(8'192, 'x');
  const auto both = [&] {
    const ShortFiles shorter(4'096);
    return std::vector{error_of([&] { SharedBuffer{bytes}; }),
                       error_of([&] { SharedBuffer::make(8'192, write_nothing); })};
  }();
  for (const tine::Error& error : both) CHECK(error.code() == std::errc::file_too_large);
  CHECK_THAT(both[0].what(), StartsWith("a shared buffer of 8192 bytes could not be written"));
  CHECK_THAT(both[1].what(), StartsWith("a shared buffer of 8192 bytes could not be made"));
  CHECK(open_buffers().count == 0);
}

TEST_CASE("shared buffer: a size that cannot be mapped is an error, and nothing is filled",
          "[base]") {
  int calls = 0;
  const auto count = [&] { ++calls; };
  const tine::Error error = error_of([&] { SharedBuffer::make(std::size_t{1} << 62, count); });
  CHECK(error.code() == std::errc::not_enough_memory);
  CHECK_THAT(error.what(), ContainsSubstring("could not be mapped"));
  CHECK(error_of([&] { SharedBuffer::make(SIZE_MAX, count); }).code() ==
        std::errc::invalid_argument);
  CHECK(calls == 0);
  CHECK(open_buffers().count == 0);
}

TEST_CASE("shared buffer: memory that somebody can still write is not sealed", "[base]") {
  void* writable = nullptr;
  const tine::Error error = error_of([&] {
    SharedBuffer::make(100, [&] {
      writable = mmap(nullptr, 100, PROT_WRITE, MAP_SHARED, open_buffers().fd, 0);
      REQUIRE(writable != MAP_FAILED);
    });
  });
  CHECK(error.code() == std::errc::device_or_resource_busy);
  CHECK_THAT(error.what(), StartsWith("a shared buffer of 100 bytes could not be sealed"));
  munmap(writable, 100);
  CHECK(open_buffers().count == 0);
}
