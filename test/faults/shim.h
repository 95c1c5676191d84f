// Functions with which a program arms the shim in its LD_PRELOAD. Without the shim they are null.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct FaultCount {
  uint64_t calls;    // of the function that has to fail, since fault_arm()
  uint64_t strikes;  // how many of these calls were made to fail
};

// Arms a fault "FUNCTION:OUTCOME:WHEN", such as "write:EPIPE:7". WHEN is N for the N-th call, /N
// for every N-th. `count` must be in memory that forked processes share. Returns 0 if `fault` is
// not valid.
__attribute__((weak, visibility("default"))) int fault_arm(const char* fault,
                                                           struct FaultCount* count);
__attribute__((weak, visibility("default"))) void fault_disarm(void);

// Returns how many blocks of memory are allocated now.
__attribute__((weak, visibility("default"))) long fault_blocks(void);

#ifdef __cplusplus
}
#endif
