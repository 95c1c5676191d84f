// The accounts of an exchange: what each side has done and seen.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

// One side's account. child.js relies on this layout.
struct Account {
  std::atomic<std::uint64_t> accepted;  // messages given to send()
  std::atomic<std::uint64_t> told;      // callbacks that have run
  std::atomic<std::uint64_t> written;   // callbacks that reported success
  std::atomic<std::uint64_t> received;  // messages received whole and in order
  std::atomic<std::uint64_t> bytes;     // approximate size of the received messages
  std::atomic<std::uint64_t> actions;
  std::array<char, 80> complaint;  // the first failure

  void reset();
  void complain(std::string_view what);
};
static_assert(sizeof(Account) == 128 && std::atomic<std::uint64_t>::is_always_lock_free);

inline constexpr std::size_t slots = 8;

// The accounts of the children, in memory that they share with their parent: so the accounts are
// complete whatever happens to a child. The child inherits the descriptor of the memory.
using Ledger = std::array<Account, slots>;

Ledger& make_ledger(int& fd);
Ledger& open_ledger(int fd);
