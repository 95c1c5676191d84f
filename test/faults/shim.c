// Makes system calls and allocations fail on demand, in a program that was started with this
// library in LD_PRELOAD.
//
// Failures at which libuv calls abort() or assert() are left out:
//   epoll_ctl     except the try in uv__io_check_fd: uv__io_poll aborts on all errors but EEXIST
//   epoll_wait    except EINTR: uv__io_poll aborts on all other errors
//   read, write   on non-sockets, except EINTR: uv__async_io and uv__async_send abort on errors and
//                 on partial messages
//   realloc       uv__maybe_resize aborts; nobody else here calls it
//   pipe2         in uv__signal_global_reinit, which aborts: the first use of a loop calls it, so
//                 make a loop before arming
//
// A cloned child that shares its parent's memory makes its calls by syscall(), so these calls fail
// there.
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

// dlsym() allocates, so it cannot be used to find the allocation functions.
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* block);

enum Function {
  NONE,
  READ,   // read, recvmsg
  WRITE,  // write, writev, sendmsg
  POLL,
  EPOLL_WAIT,
  EPOLL_CTL,
  EPOLL_CREATE,
  EVENTFD,
  SOCKETPAIR,
  PIPE,
  DUPLICATE,  // fcntl(F_DUPFD_CLOEXEC)
  DUP3,       // through syscall(), like the next two
  EXECVE,
  WAITID,
  CLONE,
  MALLOC,
};

static const char* const functions[] = {
    "none",          "read",    "write",      "poll",   "epoll_wait", "epoll_ctl",
    "epoll_create1", "eventfd", "socketpair", "pipe2",  "dupfd",      "dup3",
    "execve",        "waitid",  "clone",      "malloc", NULL};

// Outcomes that are not errors. HALF and BYTE transfer fewer bytes; LOST transfers none, but
// reports all.
enum { HALF = -1, BYTE = -2, LOST = -3 };

static const struct {
  const char* name;
  int value;
} outcomes[] = {{"half", HALF},
                {"byte", BYTE},
                {"lost", LOST},
                {"EAGAIN", EAGAIN},
                {"EINTR", EINTR},
                {"ENOBUFS", ENOBUFS},
                {"EIO", EIO},
                {"EPIPE", EPIPE},
                {"EMFILE", EMFILE},
                {"ENFILE", ENFILE},
                {"ENOMEM", ENOMEM},
                {"EBUSY", EBUSY},
                {"ECONNRESET", ECONNRESET},
                {NULL, 0}};

static enum Function armed;
static int outcome;
static bool repeated;
static unsigned long at;
static pid_t armed_in;
static struct FaultCount* counted;
static long blocks;

// Returns whether `name` is the part of `fault` up to its next colon.
static bool is(const char* fault, const char* name) {
  const size_t size = strlen(name);
  return strncmp(fault, name, size) == 0 && fault[size] == ':';
}

int fault_arm(const char* fault, struct FaultCount* count) {
  int function = 1;
  while (functions[function] != NULL && !is(fault, functions[function])) ++function;
  if (functions[function] == NULL) return false;
  fault += strlen(functions[function]) + 1;

  int i = 0;
  while (outcomes[i].name != NULL && !is(fault, outcomes[i].name)) ++i;
  if (outcomes[i].name == NULL) return false;
  fault += strlen(outcomes[i].name) + 1;

  outcome = outcomes[i].value;
  repeated = *fault == '/';
  at = strtoul(fault + repeated, NULL, 10);
  counted = count;
  armed_in = getpid();
  armed = (enum Function)function;
  return at > 0;
}

void fault_disarm(void) { armed = NONE; }
long fault_blocks(void) { return __atomic_load_n(&blocks, __ATOMIC_SEQ_CST); }

// Counts a call. Returns whether it has to fail.
static bool strikes(enum Function function) {
  if (armed != function) return false;
  const uint64_t call = __atomic_add_fetch(&counted->calls, 1, __ATOMIC_SEQ_CST);
  if (repeated ? call % at != 0 : call != at) return false;
  __atomic_add_fetch(&counted->strikes, 1, __ATOMIC_SEQ_CST);
  return true;
}

static bool fails(enum Function function) {
  if (!strikes(function)) return false;
  errno = outcome;
  return true;
}

static bool is_socket(int fd) {
  const int before = errno;
  struct stat status;
  const bool socket = fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
  errno = before;
  return socket;
}

static bool transfer_strikes(enum Function function, int fd) {
  return armed == function && (outcome == EINTR || is_socket(fd)) && strikes(function);
}

static size_t part_of(size_t size) { return outcome == BYTE && size > 0 ? 1 : (size + 1) / 2; }

static int failed(void) {
  errno = outcome;
  return -1;
}

// Passes six arguments on, as libc does, even if there are fewer.
static long real_syscall_of(long number, va_list rest) {
  static long (*real)(long, ...);
  if (real == NULL) real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  long arguments[6];
  for (int i = 0; i < 6; ++i) arguments[i] = va_arg(rest, long);
  return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
              arguments[5]);
}

static long real_syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  const long result = real_syscall_of(number, rest);
  va_end(rest);
  return result;
}

ssize_t read(int fd, void* to, size_t size) {
  if (transfer_strikes(READ, fd)) {
    if (outcome > 0) return failed();
    size = part_of(size);
  }
  return real_syscall(SYS_read, fd, to, size);
}

ssize_t write(int fd, const void* from, size_t size) {
  if (transfer_strikes(WRITE, fd)) {
    if (outcome > 0) return failed();
    if (outcome == LOST) return (ssize_t)size;
    size = part_of(size);
  }
  return real_syscall(SYS_write, fd, from, size);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  if (!transfer_strikes(WRITE, fd)) return real_syscall(SYS_writev, fd, parts, count);
  if (outcome > 0) return failed();
  return real_syscall(SYS_write, fd, parts[0].iov_base, part_of(parts[0].iov_len));
}

// Descriptors go with the first byte, so a part of a message has all of them.
static struct msghdr part_of_message(const struct msghdr* message, struct iovec* part) {
  *part = message->msg_iov[0];
  part->iov_len = part_of(part->iov_len);
  struct msghdr shorter = *message;
  shorter.msg_iov = part;
  shorter.msg_iovlen = 1;
  return shorter;
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  if (!transfer_strikes(WRITE, fd)) return real_syscall(SYS_sendmsg, fd, message, flags);
  if (outcome > 0) return failed();
  struct iovec part;
  const struct msghdr shorter = part_of_message(message, &part);
  return real_syscall(SYS_sendmsg, fd, &shorter, flags);
}

ssize_t recvmsg(int fd, struct msghdr* message, int flags) {
  if (!transfer_strikes(READ, fd)) return real_syscall(SYS_recvmsg, fd, message, flags);
  if (outcome > 0) return failed();
  struct iovec part;
  struct msghdr shorter = part_of_message(message, &part);
  const ssize_t result = real_syscall(SYS_recvmsg, fd, &shorter, flags);
  message->msg_controllen = shorter.msg_controllen;
  message->msg_namelen = shorter.msg_namelen;
  message->msg_flags = shorter.msg_flags;
  return result;
}

int poll(struct pollfd* fds, nfds_t count, int timeout) {
  if (fails(POLL)) return -1;
  const struct timespec limit = {timeout / 1000, (timeout % 1000) * 1000000L};
  return (int)real_syscall(SYS_ppoll, fds, count, timeout < 0 ? NULL : &limit, NULL, 0);
}

int epoll_pwait(int fd, struct epoll_event* events, int count, int timeout, const sigset_t* mask) {
  if (fails(EPOLL_WAIT)) return -1;
  return (int)real_syscall(SYS_epoll_pwait, fd, events, count, timeout, mask, _NSIG / 8);
}

int epoll_wait(int fd, struct epoll_event* events, int count, int timeout) {
  return epoll_pwait(fd, events, count, timeout, NULL);
}

// uv__io_check_fd passes -1 as data, only to find out whether the descriptor can be watched.
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event* event) {
  if (operation == EPOLL_CTL_ADD && event->data.fd == -1 && fails(EPOLL_CTL)) return -1;
  return (int)real_syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

int epoll_create1(int flags) {
  return fails(EPOLL_CREATE) ? -1 : (int)real_syscall(SYS_epoll_create1, flags);
}

int eventfd(unsigned int value, int flags) {
  return fails(EVENTFD) ? -1 : (int)real_syscall(SYS_eventfd2, value, flags);
}

int socketpair(int domain, int type, int protocol, int ends[2]) {
  return fails(SOCKETPAIR) ? -1 : (int)real_syscall(SYS_socketpair, domain, type, protocol, ends);
}

int pipe2(int ends[2], int flags) {
  if (getpid() == armed_in && fails(PIPE)) return -1;
  return (int)real_syscall(SYS_pipe2, ends, flags);
}

static int fcntl_or_fail(int fd, int command, void* argument) {
  if (command == F_DUPFD_CLOEXEC && fails(DUPLICATE)) return -1;
  return (int)real_syscall(SYS_fcntl, fd, command, argument);
}

int fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  return fcntl_or_fail(fd, command, argument);
}

int fcntl64(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  return fcntl_or_fail(fd, command, argument);
}

int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...) {
  if (fails(CLONE)) return -1;
  va_list rest;
  va_start(rest, argument);
  void* const pidfd = va_arg(rest, void*);
  va_end(rest);
  int (*const real)(int (*)(void*), void*, int, void*, ...) =
      (int (*)(int (*)(void*), void*, int, void*, ...))dlsym(RTLD_NEXT, "__clone");
  return real(function, stack, flags, argument, pidfd);
}

static enum Function function_of(long number) {
  switch (number) {
    case SYS_dup3: return DUP3;
    case SYS_execve: return EXECVE;
    case SYS_waitid: return WAITID;
    default: return NONE;
  }
}

long syscall(long number, ...) {
  const enum Function function = function_of(number);
  if (function != NONE && fails(function)) return -1;
  va_list rest;
  va_start(rest, number);
  const long result = real_syscall_of(number, rest);
  va_end(rest);
  return result;
}

static void* counted_block(void* block) {
  if (block != NULL) __atomic_add_fetch(&blocks, 1, __ATOMIC_SEQ_CST);
  return block;
}

void* malloc(size_t size) { return fails(MALLOC) ? NULL : counted_block(__libc_malloc(size)); }

void* calloc(size_t count, size_t size) {
  return fails(MALLOC) ? NULL : counted_block(__libc_calloc(count, size));
}

void* memalign(size_t alignment, size_t size) {
  return fails(MALLOC) ? NULL : counted_block(__libc_memalign(alignment, size));
}

void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block == NULL ? ENOMEM : 0;
}

void* realloc(void* block, size_t size) {
  void* const moved = __libc_realloc(block, size);
  if (block == NULL) return counted_block(moved);
  if (moved == NULL && size == 0) __atomic_sub_fetch(&blocks, 1, __ATOMIC_SEQ_CST);
  return moved;
}

void free(void* block) {
  if (block != NULL) __atomic_sub_fetch(&blocks, 1, __ATOMIC_SEQ_CST);
  __libc_free(block);
}
