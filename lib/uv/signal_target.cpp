#include "uv/signal_target.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <mutex>
#include <string>

#include <pthread.h>
#include <sched.h>

#include "tine/error.hpp"

namespace tine::uv {

namespace {

using Link = std::atomic<SignalTarget*>;

// A lock in the handler could be held by the thread that the handler interrupts.
static_assert(Link::is_always_lock_free);

struct Table {
  std::mutex changing;
  std::array<Link, NSIG> first{};
  std::array<struct sigaction, NSIG> before{};  // what the signal did before it had targets
  std::atomic<int> readers = 0;                 // running handlers
};

constinit Table table;

// Lets a copy of the process, made by fork(), go on with the table. The copy has one thread only,
// which is not in the handler.
void prepare_for_fork_once() {
  [[maybe_unused]] static const int done =
      pthread_atfork([] { table.changing.lock(); }, [] { table.changing.unlock(); },
                     [] {
                       table.readers = 0;
                       table.changing.unlock();
                     });
}

// Whether a program can go on after the signal, and neither the kernel nor libuv needs it.
bool may_be_caught(int signal) {
  constexpr std::array refused{SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  return std::find(refused.begin(), refused.end(), signal) == refused.end();
}

bool is_from_kernel([[maybe_unused]] const siginfo_t& info) {
#ifdef __linux__
  return info.si_code == SI_KERNEL;
#else
  return false;
#endif
}

}  // namespace

void SignalTarget::handle(int signal, siginfo_t* info, void*) {
  const int interrupted_error = errno;
  ++table.readers;
  SignalTarget* target = table.first[static_cast<std::size_t>(signal)];
  for (; target != nullptr; target = target->next_) target->arrived(is_from_kernel(*info));
  --table.readers;
  errno = interrupted_error;
}

// SA_ONSTACK: the stack of the thread that the signal interrupts may be small.
bool SignalTarget::install(int signal) noexcept {
  struct sigaction action {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  return sigaction(signal, &action, &table.before[static_cast<std::size_t>(signal)]) == 0;
}

// Enters the table before the handler is installed, so that no signal is lost in between.
void SignalTarget::start(int signal) {
  if (!may_be_caught(signal)) {
    throw Error(Errc::invalid_argument,
                "no listener can be added for signal " + std::to_string(signal));
  }
  const Error unknown(Errc::unknown_signal, std::to_string(signal));
  if (signal <= 0 || signal >= NSIG) throw unknown;
  prepare_for_fork_once();
  const std::lock_guard lock(table.changing);
  Link* link = &table.first[static_cast<std::size_t>(signal)];
  const bool only = *link == nullptr;
  while (SignalTarget* const target = *link) link = &target->next_;
  signal_ = signal;
  *link = this;
  if (!only || install(signal)) return;
  *link = nullptr;
  throw unknown;
}

void SignalTarget::stop() noexcept {
  {
    const std::lock_guard lock(table.changing);
    const auto index = static_cast<std::size_t>(signal_);
    Link* link = &table.first[index];
    if (*link == this && next_ == nullptr) sigaction(signal_, &table.before[index], nullptr);
    while (*link != this) link = &link->load()->next_;
    *link = next_.load();
  }
  while (table.readers > 0) sched_yield();
}

}  // namespace tine::uv
