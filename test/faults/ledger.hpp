// A record of what both sides of an exchange have sent and received.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "faults/shim.h"

// The state of a message that a side sends.
enum class Sent : unsigned char { not_yet, accepted, written, failed };

// The account of one side.
struct Account {
  static constexpr int most = 1010;

  FaultCount fault;
  std::array<Sent, most> sent;
  int received;                     // messages 0 to received - 1 have come, in order and whole
  std::array<char, 100> complaint;  // the first violation that the side has found

  void complain(const char* what);
  // Notes that the send callback of a message has run.
  void report(std::size_t number, bool written);
};

// The messages of an exchange. Each side sends `count` messages, a few of them as large as
// `largest`; the parent sends a few more as it disconnects.
struct Plan {
  int count;
  std::size_t largest;

  int with_farewell() const { return count + 2; }
  std::string text_of(int number) const;
};

// The plan and the accounts of both sides, in memory that both processes share. It needs no
// allocations, so it is complete even if a process fails at any point.
struct Ledger {
  Plan plan;
  Account parent;
  Account child;
};

// The parent makes the ledger. The child inherits its descriptor and opens it by the number.
Ledger& make_ledger(const Plan& plan, int& fd);
Ledger& open_ledger(int fd);
