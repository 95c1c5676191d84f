// How a program arms the shim it was started with. Without it in LD_PRELOAD the functions are null.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct FaultCount {
  uint64_t calls;    // of the function that is to fail, since fault_arm()
  uint64_t strikes;  // of these, how many were made to
};

// "FUNCTION:OUTCOME:WHEN", as in "write:EPIPE:7". WHEN is N for the N-th call, /N for each N-th.
// `count` is to be in memory that is shared with what is forked. False: that is no fault.
__attribute__((weak, visibility("default"))) int fault_arm(const char* fault,
                                                           struct FaultCount* count);
__attribute__((weak, visibility("default"))) void fault_disarm(void);

// How many blocks are allocated, since the program began.
__attribute__((weak, visibility("default"))) long fault_blocks(void);

#ifdef __cplusplus
}
#endif
