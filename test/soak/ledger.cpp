#include "soak/ledger.hpp"

#include <cerrno>
#include <new>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

void Account::reset() { new (this) Account{}; }

void Account::complain(std::string_view what) {
  if (complaint[0] == '\0') what.copy(complaint.data(), complaint.size() - 1);
}

Ledger& open_ledger(int fd) {
  void* const memory = mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  return *std::launder(static_cast<Ledger*>(memory));
}

Ledger& make_ledger(int& fd) {
  constexpr int beyond_the_childs_own = 10;
  const int low = memfd_create("ledger", 0);
  fd = fcntl(low, F_DUPFD, beyond_the_childs_own);
  close(low);
  if (ftruncate(fd, sizeof(Ledger)) < 0) {
    throw std::system_error(errno, std::generic_category(), "memfd_create");
  }
  return open_ledger(fd);
}
