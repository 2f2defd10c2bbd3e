/* Wrappers of the C library's functions that the library calls. The program is linked with the
 * static library, so its calls come here first. */
#define _GNU_SOURCE
#include "inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* Each call with the errors of a sandbox (EPERM, ENOSYS), and the error of its own lack of
 * resources. */
const struct fault faults[] = {
    {"malloc", ENOMEM, "malloc ENOMEM", 0},
    {"malloc", ENOMEM, "malloc ENOMEM for good", 1},
    {"pthread_create", EAGAIN, "pthread_create EAGAIN", 0},
    {"mmap", ENOMEM, "mmap ENOMEM", 0},
    {"memfd_create", EMFILE, "memfd_create EMFILE", 0},
    {"memfd_create", EPERM, "memfd_create EPERM", 0},
    {"memfd_create", ENOSYS, "memfd_create ENOSYS", 0},
    {"tmpfile", EPERM, "O_TMPFILE EPERM", 0},
    {"tmpfile", EOPNOTSUPP, "O_TMPFILE EOPNOTSUPP", 0},
    {"open", EMFILE, "open EMFILE", 0},
    {"open", EPERM, "open EPERM", 0},
    {"linkat", EPERM, "linkat EPERM", 0},
    {"linkat", ENOSYS, "linkat ENOSYS", 0},
    {"fallocate", ENOSPC, "fallocate ENOSPC", 0},
    {"fallocate", EPERM, "fallocate EPERM", 0},
    {"fallocate", ENOSYS, "fallocate ENOSYS", 0},
    {"fallocate", EOPNOTSUPP, "fallocate EOPNOTSUPP", 0},
    {"ftruncate", EPERM, "ftruncate EPERM", 0},
    {"fchmod", EPERM, "fchmod EPERM", 0},
    {"seal", EPERM, "F_ADD_SEALS EPERM", 0},
    {"dup", EMFILE, "F_DUPFD EMFILE", 0},
    {"ofd", EINVAL, "OFD lock EINVAL", 0},
    {"ofd", EPERM, "OFD lock EPERM", 0},
    {"ofd", ENOLCK, "OFD lock ENOLCK", 0},
    {"eventfd", EMFILE, "eventfd EMFILE", 0},
    {"eventfd", EPERM, "eventfd EPERM", 0},
    {"eventfd", ENOSYS, "eventfd ENOSYS", 0},
    {"futex_waitv", EPERM, "futex_waitv EPERM", 0},
    {"futex_waitv", ENOSYS, "futex_waitv ENOSYS", 0},
    {"set_robust_list", EPERM, "set_robust_list EPERM", 0},
    {"set_robust_list", ENOSYS, "set_robust_list ENOSYS", 0},
    {"membarrier", EPERM, "membarrier EPERM", 0},
    {"membarrier", ENOSYS, "membarrier ENOSYS", 0},
    {"clone", EAGAIN, "clone EAGAIN", 0},
    {"clone", EPERM, "clone EPERM", 0},
    {"clone", ENOSYS, "clone ENOSYS", 0},
    {"clone_pidfd", EINVAL, "CLONE_PIDFD EINVAL", 0},
    {"fork", EAGAIN, "fork EAGAIN", 0},
    {"pidfd_open", EMFILE, "pidfd_open EMFILE", 0},
    {"pidfd_open", EPERM, "pidfd_open EPERM", 0},
    {"pidfd_open", ENOSYS, "pidfd_open ENOSYS", 0},
    {"pidfd_send_signal", EPERM, "pidfd_send_signal EPERM", 0},
    {"pidfd_send_signal", ENOSYS, "pidfd_send_signal ENOSYS", 0},
    {"execve", EPERM, "execve EPERM", 0},
    {"getrandom", EPERM, "getrandom EPERM", 0},
    {"getrandom", ENOSYS, "getrandom ENOSYS", 0},
    {"socket", EMFILE, "socket EMFILE", 0},
    {"socket", EPERM, "socket EPERM", 0},
    {"socket", EAFNOSUPPORT, "socket EAFNOSUPPORT", 0},
    {"socketpair", EMFILE, "socketpair EMFILE", 0},
    {"socketpair", EPERM, "socketpair EPERM", 0},
    {"bind", EPERM, "bind EPERM", 0},
    {"listen", EPERM, "listen EPERM", 0},
    {"accept", EMFILE, "accept EMFILE", 0},
    {"accept", EPERM, "accept EPERM", 0},
    {"connect", EPERM, "connect EPERM", 0},
    {"sockopt", EPERM, "setsockopt EPERM", 0},
    {"ppoll", ENOMEM, "ppoll ENOMEM", 0},
    {"madvise", EPERM, "madvise EPERM", 0},
    {"prctl", EPERM, "prctl EPERM", 0},
    {"ioctl", EPERM, "ioctl EPERM", 0},
    {"affinity", EPERM, "sched_setaffinity EPERM", 0},
    {"atexit", ENOMEM, "atexit ENOMEM", 0},
    {"pthread_atfork", ENOMEM, "pthread_atfork ENOMEM", 0},
};
const int fault_count = sizeof faults / sizeof faults[0];

struct state {
  atomic_int error;
  atomic_long left;
  atomic_int hits;
  atomic_int for_good;
  pid_t pid;
  char call[32];
};
static struct state *state;

void injection_begin(void) {
  state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (state == MAP_FAILED) abort();
}

void injection_arm(const struct fault *fault, long nth) {
  strcpy(state->call, fault->call);
  state->pid = getpid();
  atomic_store(&state->hits, 0);
  atomic_store(&state->for_good, fault->for_good);
  atomic_store(&state->left, nth);
  atomic_store(&state->error, fault->error);
}

int injection_end(void) {
  atomic_store(&state->error, 0);
  return atomic_load(&state->hits);
}

/* Whether this call is to fail; errno is set. */
static int fails(const char *call) {
  int error;
  long left;
  if (state == NULL) return 0;
  /* Each process has a memory of its own. */
  if (strcmp(call, "malloc") == 0 && getpid() != state->pid) return 0;
  error = atomic_load(&state->error);
  if (error == 0 || strcmp(call, state->call) != 0) return 0;
  left = atomic_fetch_sub(&state->left, 1);
  if (left > 1 || (left < 1 && !atomic_load(&state->for_good))) return 0;
  atomic_fetch_add(&state->hits, 1);
  errno = error;
  return 1;
}

#define REAL(name)                                             \
  (*({                                                         \
    static __typeof__(&name) found;                            \
    if (found == NULL) found = (__typeof__(&name))real(#name); \
    found;                                                     \
  }))
static void *real(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  if (function == NULL) abort();
  return function;
}

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
  return fails("malloc") ? NULL : __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  return fails("malloc") ? NULL : __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
  return fails("malloc") ? NULL : __libc_realloc(old, size);
}
int posix_memalign(void **out, size_t align, size_t size) {
  void *memory = fails("malloc") ? NULL : __libc_memalign(align, size);
  if (memory != NULL) *out = memory;
  return memory == NULL ? ENOMEM : 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *argument) {
  if (fails("pthread_create")) return errno;
  return REAL(pthread_create)(thread, attributes, body, argument);
}
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
  extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);
  extern void *__dso_handle;
  if (fails("pthread_atfork")) return errno;
  return __register_atfork(prepare, parent, child, __dso_handle);
}
int atexit(void (*body)(void)) {
  extern int __cxa_atexit(void (*)(void *), void *, void *);
  if (fails("atexit")) return -1;
  return __cxa_atexit((void (*)(void *))(void *)body, NULL, NULL);
}

void *mmap(void *address, size_t length, int access, int flags, int fd, off_t offset) {
  if (fails("mmap")) return MAP_FAILED;
  return REAL(mmap)(address, length, access, flags, fd, offset);
}
void *mmap64(void *address, size_t length, int access, int flags, int fd, off64_t offset) {
  return mmap(address, length, access, flags, fd, offset);
}
int madvise(void *address, size_t length, int advice) {
  return fails("madvise") ? -1 : REAL(madvise)(address, length, advice);
}

int memfd_create(const char *name, unsigned flags) {
  return fails("memfd_create") ? -1 : REAL(memfd_create)(name, flags);
}
int linkat(int from, const char *old, int to, const char *new, int flags) {
  return fails("linkat") ? -1 : REAL(linkat)(from, old, to, new, flags);
}
int ftruncate(int fd, off_t length) {
  return fails("ftruncate") ? -1 : REAL(ftruncate)(fd, length);
}
int ftruncate64(int fd, off64_t length) {
  return ftruncate(fd, length);
}
int fchmod(int fd, mode_t mode) {
  return fails("fchmod") ? -1 : REAL(fchmod)(fd, mode);
}
static int fails_open(int flags) {
  return fails((flags & O_TMPFILE) == O_TMPFILE ? "tmpfile" : "open");
}
int open64(const char *path, int flags, ...) {
  mode_t mode;
  va_list rest;
  va_start(rest, flags);
  mode = va_arg(rest, mode_t);
  va_end(rest);
  return fails_open(flags) ? -1 : openat(AT_FDCWD, path, flags, mode);
}
int fcntl(int fd, int command, ...) {
  void *argument;
  va_list rest;
  va_start(rest, command);
  argument = va_arg(rest, void *);
  va_end(rest);
  if (command == F_DUPFD_CLOEXEC && fails("dup")) return -1;
  if (command == F_ADD_SEALS && fails("seal")) return -1;
  if ((command == F_OFD_SETLK || command == F_OFD_GETLK) && fails("ofd")) return -1;
  return REAL(fcntl)(fd, command, argument);
}
int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));
int eventfd(unsigned count, int flags) {
  return fails("eventfd") ? -1 : REAL(eventfd)(count, flags);
}

int socket(int family, int type, int protocol) {
  return fails("socket") ? -1 : REAL(socket)(family, type, protocol);
}
int socketpair(int family, int type, int protocol, int ends[2]) {
  return fails("socketpair") ? -1 : REAL(socketpair)(family, type, protocol, ends);
}
int bind(int fd, const struct sockaddr *address, socklen_t length) {
  return fails("bind") ? -1 : REAL(bind)(fd, address, length);
}
int listen(int fd, int backlog) {
  return fails("listen") ? -1 : REAL(listen)(fd, backlog);
}
int setsockopt(int fd, int level, int option, const void *value, socklen_t length) {
  return fails("sockopt") ? -1 : REAL(setsockopt)(fd, level, option, value, length);
}

int clone(int (*body)(void *), void *stack, int flags, void *argument, ...) {
  void *out;
  va_list rest;
  va_start(rest, argument);
  out = va_arg(rest, void *);
  va_end(rest);
  if (fails("clone") || ((flags & CLONE_PIDFD) && fails("clone_pidfd"))) return -1;
  return REAL(clone)(body, stack, flags, argument, out);
}
pid_t fork(void) {
  return fails("fork") ? -1 : REAL(fork)();
}
int prctl(int option, ...) {
  unsigned long argument;
  va_list rest;
  va_start(rest, option);
  argument = va_arg(rest, unsigned long);
  va_end(rest);
  return fails("prctl") ? -1 : REAL(prctl)(option, argument, 0, 0, 0);
}
int ioctl(int fd, unsigned long request, ...) {
  void *argument;
  va_list rest;
  va_start(rest, request);
  argument = va_arg(rest, void *);
  va_end(rest);
  return fails("ioctl") ? -1 : REAL(ioctl)(fd, request, argument);
}
int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set) {
  return fails("affinity") ? -1 : REAL(sched_setaffinity)(pid, size, set);
}

static const struct {
  long number;
  const char *call;
} numbers[] = {
    {SYS_fallocate, "fallocate"},
    {SYS_futex_waitv, "futex_waitv"},
    {SYS_set_robust_list, "set_robust_list"},
    {SYS_membarrier, "membarrier"},
    {SYS_pidfd_open, "pidfd_open"},
    {SYS_pidfd_send_signal, "pidfd_send_signal"},
    {SYS_execve, "execve"},
    {SYS_getrandom, "getrandom"},
    {SYS_accept4, "accept"},
    {SYS_connect, "connect"},
    {SYS_ppoll, "ppoll"},
    {SYS_memfd_create, "memfd_create"},
    {SYS_prctl, "prctl"},
};

long syscall(long number, ...) {
  long a[6];
  va_list rest;
  va_start(rest, number);
  for (int at = 0; at < 6; at++) a[at] = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_openat && fails_open((int)a[2])) return -1;
  if (number == SYS_fcntl && a[1] == F_DUPFD_CLOEXEC && fails("dup")) return -1;
  for (size_t at = 0; at < sizeof numbers / sizeof numbers[0]; at++) {
    if (number == numbers[at].number && fails(numbers[at].call)) return -1;
  }
  return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
