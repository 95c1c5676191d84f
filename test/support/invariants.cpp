#include "support/invariants.hpp"

#include <algorithm>
#include <fstream>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "support/catch.hpp"

namespace {

// Returns a size from /proc/self/status, in bytes.
std::size_t status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return std::stoul(line.substr(name.size() + 1)) * 1024;
  }
  return 0;
}

}  // namespace

// Writing 5 to clear_refs resets the peak.
//
// glibc maps each large block by itself, and unmaps it when it is freed. By default, the first such
// free raises the threshold to the size of the block. Then a growing buffer leaves its old blocks
// in the heap, and it depends on sizes and on earlier tests whether the peak includes them. A
// threshold that is set here does not change.
PeakMemory::PeakMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
#endif
  std::ofstream("/proc/self/clear_refs") << "5";
  before_ = status("VmRSS");
}

std::size_t PeakMemory::growth() const {
  const std::size_t peak = status("VmHWM");
  return peak > before_ ? peak - before_ : 0;
}

tine::ChildProcess Invariants::watch(tine::ChildProcess child) {
  const auto log = ends_.emplace_back(std::make_shared<std::vector<std::string>>());
  child.on<"disconnect">([log] { log->emplace_back("disconnect"); });
  child.on<"exit">([log] { log->emplace_back("exit"); });
  child.on<"close">([log] { log->emplace_back("close"); });
  return child;
}

tine::SendCallback Invariants::sent() {
  return [record = sent_.emplace_back(std::make_shared<Sent>())](std::error_code error) {
    ++record->calls;
    record->error = error;
  };
}

int Invariants::count(bool failed) const {
  return static_cast<int>(std::count_if(sent_.begin(), sent_.end(), [failed](const auto& record) {
    return record->calls > 0 && failed == static_cast<bool>(record->error);
  }));
}

void Invariants::check() {
  if (!sanitized) CHECK(peak_.growth() <= memory_);
  CHECK(std::all_of(sent_.begin(), sent_.end(),
                    [](const auto& record) { return record->calls == 1; }));
  for (const auto& log : ends_) {
    CHECK(*log == std::vector<std::string>{"disconnect", "exit", "close"});
  }
  exchange();
}

void Invariants::exchange() {
  constexpr int messages = 1000;
  int in_order = 0;
  auto child = loop_.fork("echo");
  child.on<"message">([&](int number) {
    in_order += number == in_order;
    if (in_order == messages) child.disconnect();
  });
  for (int i = 0; i < messages; ++i) child.send(i);
  loop_.run();
  CHECK(in_order == messages);
  CHECK((child.exit_status() == tine::ExitStatus{.code = 0}));
}
