/* What the fault harness preloads into programs: a disk that is slow or fails, and a wall clock that
   is wrong. It owns these two lies and a trace of each that was told; it must never lie unless a
   file of the harness says so. The harness compiles it when it starts. It is C because nothing else
   can stand between PostgreSQL and its C library; no part of it gets into the switch. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* ---- The disk: FAULT_SHIM_DISK names a directory. `fail` in it makes one wait for the write-ahead
   log fail, and is gone then; `slow` holds two numbers of milliseconds between which each takes. */

static void trace(const char *directory, char what) {
    char path[4096];
    snprintf(path, sizeof path, "%s/trace", directory);
    int fd = open(path, O_WRONLY | O_APPEND);
    if (fd >= 0) {
        if (write(fd, &what, 1) < 0) { /* then it was not seen, and the run does not count */ }
        close(fd);
    }
}

static int is_of_the_log(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "/pg_wal/") != NULL;
}

static void sleep_between(const char *directory, long low, long high) {
    struct timespec now, time;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long millis = low + (high > low ? (now.tv_nsec / 1000) % (high - low + 1) : 0);
    time.tv_sec = millis / 1000;
    time.tv_nsec = millis % 1000 * 1000000L;
    trace(directory, 's');
    while (nanosleep(&time, &time) != 0 && errno == EINTR) { }
}

/* Non-zero where the wait for the disk is to fail. */
static int disk_lies(int fd) {
    const char *directory = getenv("FAULT_SHIM_DISK");
    char path[4096];
    long low, high;
    if (directory == NULL || !is_of_the_log(fd)) return 0;
    snprintf(path, sizeof path, "%s/fail", directory);
    if (unlink(path) == 0) {
        trace(directory, 'f');
        return 1;
    }
    snprintf(path, sizeof path, "%s/slow", directory);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    int found = fscanf(file, "%ld %ld", &low, &high);
    fclose(file);
    if (found == 2) sleep_between(directory, low, high);
    return 0;
}

typedef int sync_function(int);

static int sync_by(const char *name, int fd) {
    sync_function *real = (sync_function *)dlsym(RTLD_NEXT, name);
    if (disk_lies(fd)) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int fsync(int fd) { return sync_by("fsync", fd); }

int fdatasync(int fd) { return sync_by("fdatasync", fd); }

/* ---- The wall clock: FAULT_SHIM_CLOCK names a file of two numbers of 64 bits, by how many
   nanoseconds the clock is ahead and how often it was read like that. */

static int64_t *clock_file;

__attribute__((constructor)) static void open_clock(void) {
    const char *path = getenv("FAULT_SHIM_CLOCK");
    if (path == NULL) return;
    int fd = open(path, O_RDWR);
    if (fd < 0) return;
    void *mapped = mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED) clock_file = mapped;
}

typedef int clock_function(clockid_t, struct timespec *);

int clock_gettime(clockid_t id, struct timespec *time) {
    static clock_function *real;
    if (real == NULL) real = (clock_function *)dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, time);
    if (result != 0 || id != CLOCK_REALTIME || clock_file == NULL) return result;
    int64_t ahead = __atomic_load_n(&clock_file[0], __ATOMIC_RELAXED);
    if (ahead != 0) {
        int64_t nanos = time->tv_sec * INT64_C(1000000000) + time->tv_nsec + ahead;
        time->tv_sec = nanos / INT64_C(1000000000);
        time->tv_nsec = nanos % INT64_C(1000000000);
        __atomic_add_fetch(&clock_file[1], 1, __ATOMIC_RELAXED);
    }
    return 0;
}
