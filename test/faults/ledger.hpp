// What both sides of an exchange have done and seen.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "faults/shim.h"

// What has become of a message that was to be sent.
enum class Sent : unsigned char { not_yet, accepted, written, failed };

// One side's account.
struct Account {
  static constexpr int most = 1010;

  FaultCount fault;
  std::array<Sent, most> sent;
  int received;                     // messages 0 to received - 1 have come, in order and whole
  std::array<char, 100> complaint;  // what was wrong first

  void complain(const char* what);
  // A send callback has run.
  void report(std::size_t number, bool written);
};

// What is exchanged: each side sends `count` messages, a few of them as large as `largest`; the
// parent sends a few more as it disconnects.
struct Plan {
  int count;
  std::size_t largest;

  int with_farewell() const { return count + 2; }
  std::string text_of(int number) const;
};

// Lies in memory that both processes share, and nothing in it allocates: so it is complete,
// whatever happens to either.
struct Ledger {
  Plan plan;
  Account parent;
  Account child;
};

// The child finds the ledger by the number of a descriptor that it inherits.
Ledger& make_ledger(const Plan& plan, int& fd);
Ledger& open_ledger(int fd);
