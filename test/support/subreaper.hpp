#pragma once

#include <sys/prctl.h>

#include "support/catch.hpp"

// While this object lives, orphaned descendants become children of this process.
struct Subreaper {
  Subreaper() { REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); }
  ~Subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 0); }
};
