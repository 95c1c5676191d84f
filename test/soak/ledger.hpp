// What the sides of an exchange have done and seen.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

// One side's account. child.js knows where its members are.
struct Account {
  std::atomic<std::uint64_t> accepted;  // messages that were given to send()
  std::atomic<std::uint64_t> told;      // callbacks that have run
  std::atomic<std::uint64_t> written;   // of these, with success
  std::atomic<std::uint64_t> received;  // in order and whole
  std::atomic<std::uint64_t> bytes;     // of these, about
  std::atomic<std::uint64_t> actions;
  std::array<char, 80> complaint;  // what was wrong first

  void reset();
  void complain(std::string_view what);
};
static_assert(sizeof(Account) == 128 && std::atomic<std::uint64_t>::is_always_lock_free);

inline constexpr std::size_t slots = 8;

// The accounts of the children, in memory that they share with their parent: so that they are
// complete whatever happens to a child, which finds them by a descriptor that it inherits.
using Ledger = std::array<Account, slots>;

Ledger& make_ledger(int& fd);
Ledger& open_ledger(int fd);
