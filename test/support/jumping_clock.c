// A wall clock that jumps, for a program that has this library in LD_PRELOAD: each reading is some
// hours away from the one before, forward and backward in turn. The monotonic clock does not jump.
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t jump(void) {
  static unsigned looks;
  const unsigned look = __atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED);
  const time_t away = 3600 * (time_t)(1 + look % 7);
  return look % 2 == 0 ? away : -away;
}

// Asks the kernel directly, because dlsym() may free memory, and AddressSanitizer's free() reads
// the clock.
int clock_gettime(clockid_t clock, struct timespec* time) {
  const int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += jump();
  return result;
}

int gettimeofday(struct timeval* restrict wall, void* restrict zone) {
  (void)zone;
  struct timespec now;
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  wall->tv_sec = now.tv_sec;
  wall->tv_usec = now.tv_nsec / 1000;
  return result;
}

time_t time(time_t* also) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (also != NULL) *also = now.tv_sec;
  return now.tv_sec;
}
