// The accounts of an exchange: what each side has sent and received.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

// The account of one side. child.js relies on this layout.
struct Account {
  std::atomic<std::uint64_t> accepted;  // messages given to send()
  std::atomic<std::uint64_t> called;    // callbacks that have run
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

// The accounts of the children, in memory that they share with their parent, so that the accounts
// are complete even if a child dies. The child inherits the descriptor of the memory.
using Ledger = std::array<Account, slots>;

Ledger& make_ledger(int& fd);
Ledger& open_ledger(int fd);
