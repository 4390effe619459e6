/* Between a process and its C library: a disk that is full, a sync or read that fails, a wall clock that jumps, while
 * the process is the real one. What to do stands in six numbers of a file that the test writes and this maps:
 *
 *   0  seconds added to the wall clock
 *   1  errno of fsync and fdatasync, or 0
 *   2  allocations left before ENOSPC, or -1
 *   3  allocations so far, counted here
 *   4  errno of reads from segments of the journal, or 0
 *   5  syncs left before (1) counts
 *   6  changes left before the process is killed, or -1
 *
 * An allocation is a new file, the first write to it, a new folder or a new socket, below data/. Each is noted by name
 * in a second file. A change is what a power cut or a kill may come before: a new, renamed or removed file below data/, a
 * write to a file of the journal, a sync. What is called without the C library (fallocate, syncfs) is not seen. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CLOCK_OFFSET, SYNC_ERRNO, ALLOCATIONS_LEFT, ALLOCATED, READ_ERRNO, SYNCS_LEFT, CHANGES_LEFT, NUMBERS };
enum { FILES = 4096 };

static volatile long *numbers;
static int noted = -1;
/* Of each descriptor: whether its file is new and not written yet, new, or a segment. */
static char fresh[FILES], segment[FILES];

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *control = getenv("SHIM_CONTROL"), *notes = getenv("SHIM_NOTES");
    if (!control || !notes) return;
    REAL(open);
    int fd = real(control, O_RDWR);
    void *map = mmap(0, NUMBERS * sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) abort();
    noted = real(notes, O_WRONLY | O_APPEND | O_CREAT, 0600);
    numbers = map;
}

static int counts(const char *path) { return numbers && strstr(path, "data/") != 0; }

/* Whether there is room for one more. */
static int allocate(const char *path) {
    REAL(write);
    long number = __sync_fetch_and_add(&numbers[ALLOCATED], 1);
    char line[600];
    int length = snprintf(line, sizeof line, "%ld %s\n", number, path);
    if (noted >= 0 && length > 0) (void)!real(noted, line, (size_t)length);
    if (numbers[ALLOCATIONS_LEFT] < 0) return 1;
    if (__sync_fetch_and_sub(&numbers[ALLOCATIONS_LEFT], 1) > 0) return 1;
    numbers[ALLOCATIONS_LEFT] = 0;
    errno = ENOSPC;
    return 0;
}

/* Ends as the kernel ends processes, where no change is left. */
static void change(void) {
    if (!numbers || numbers[CHANGES_LEFT] < 0) return;
    if (__sync_fetch_and_sub(&numbers[CHANGES_LEFT], 1) > 0) return;
    /* The others of its threads come here too, before it is gone. */
    numbers[CHANGES_LEFT] = 0;
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int opened(int fd, const char *path, int new) {
    if (fd >= 0 && fd < FILES) {
        fresh[fd] = new ? 2 : 0;
        segment[fd] = strstr(path, ".segment") || strstr(path, ".packed");
    }
    return fd;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        REAL(name); \
        int new = (flags & O_CREAT) && counts(path) && access(path, F_OK) != 0; \
        if (new) change(); \
        if (new && !allocate(path)) return -1; \
        return opened(real(path, flags, mode), path, new); \
    }

OPEN(open)
OPEN(open64)

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    if (counts(path) && access(path, F_OK) != 0 && !allocate(path)) return -1;
    return real(path, mode);
}

int bind(int fd, const struct sockaddr *address, socklen_t length) {
    REAL(bind);
    if (address->sa_family == AF_UNIX) {
        const char *path = ((const struct sockaddr_un *)address)->sun_path;
        if (counts(path) && !allocate(path)) return -1;
    }
    return real(fd, address, length);
}

/* The first write to a new file takes space, and so does every later one once there is none. */
static int room(int fd) {
    if (!numbers || fd < 0 || fd >= FILES || !fresh[fd]) return 1;
    if (fresh[fd] == 1 && numbers[ALLOCATIONS_LEFT] != 0) return 1;
    fresh[fd] = 1;
    char link[64], path[500] = "?";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    (void)!readlink(link, path, sizeof path - 1);
    return allocate(path);
}

static void write_to(int fd) {
    if (fd >= 0 && fd < FILES && segment[fd]) change();
}

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(write);
    write_to(fd);
    return room(fd) ? real(fd, bytes, count) : -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    REAL(pwrite64);
    write_to(fd);
    return room(fd) ? real(fd, bytes, count, offset) : -1;
}

int close(int fd) {
    REAL(close);
    if (fd >= 0 && fd < FILES) fresh[fd] = segment[fd] = 0;
    return real(fd);
}

ssize_t pread64(int fd, void *into, size_t count, off64_t offset) {
    REAL(pread64);
    if (numbers && fd >= 0 && fd < FILES && segment[fd] && numbers[READ_ERRNO]) {
        errno = (int)numbers[READ_ERRNO];
        return -1;
    }
    return real(fd, into, count, offset);
}

static int fails_to_sync(void) {
    if (!numbers || !numbers[SYNC_ERRNO] || __sync_fetch_and_sub(&numbers[SYNCS_LEFT], 1) > 0) return 0;
    errno = (int)numbers[SYNC_ERRNO];
    return 1;
}

int fdatasync(int fd) {
    REAL(fdatasync);
    change();
    return fails_to_sync() ? -1 : real(fd);
}

int fsync(int fd) {
    REAL(fsync);
    change();
    return fails_to_sync() ? -1 : real(fd);
}

int rename(const char *from, const char *to) {
    REAL(rename);
    if (counts(to)) change();
    return real(from, to);
}

int unlink(const char *path) {
    REAL(unlink);
    if (counts(path)) change();
    return real(path);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    REAL(clock_gettime);
    int got = real(clock, time);
    if (got == 0 && clock == CLOCK_REALTIME && numbers) time->tv_sec += numbers[CLOCK_OFFSET];
    return got;
}
