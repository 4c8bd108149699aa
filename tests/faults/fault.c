/* A disk that fails on command: preloaded into the node under test, it looks at one byte that the test
   writes, and lets calls on the database's files fail or wait accordingly.
   0 all is well   1 the disk is full   2 writing fails   3 the folder is read-only   4 the disk is slow
   5 reading fails */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static volatile const char *mode_byte;

static int mode(void) {
    if (!mode_byte) {
        const char *path = getenv("FAULT_FILE");
        int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
        int fd = path ? real_open(path, O_RDONLY) : -1;
        void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
        mode_byte = map == MAP_FAILED ? "0" : map;
    }
    return *mode_byte - '0';
}

static int ours_path(const char *path) { return path && strstr(path, "manara.db") != NULL; }

static int ours(int fd) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return ours_path(path);
}

/* For a call that writes: what goes wrong now, or 0. */
static int writing(int fd, int flushes) {
    int now = mode();
    if (!now || !ours(fd)) return 0;
    if (now == 1 && !flushes) return ENOSPC;
    if (now == 2) return EIO;
    if (now == 3 && !flushes) return EROFS;
    if (now == 4) usleep(flushes ? 60000 : 300);
    return 0;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
#define FAIL(error) do { int e = (error); if (e) { errno = e; return -1; } } while (0)

ssize_t write(int fd, const void *b, size_t n) {
    REAL(write); FAIL(writing(fd, 0)); return real(fd, b, n);
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) {
    REAL(pwrite); FAIL(writing(fd, 0)); return real(fd, b, n, o);
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
    REAL(pwrite64); FAIL(writing(fd, 0)); return real(fd, b, n, o);
}
int ftruncate(int fd, off_t n) { REAL(ftruncate); FAIL(writing(fd, 0)); return real(fd, n); }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); FAIL(writing(fd, 0)); return real(fd, n); }
int fsync(int fd) { REAL(fsync); FAIL(writing(fd, 1)); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); FAIL(writing(fd, 1)); return real(fd); }

static int reading(int fd) { return mode() == 5 && ours(fd) ? EIO : 0; }
ssize_t read(int fd, void *b, size_t n) {
    REAL(read); FAIL(reading(fd)); return real(fd, b, n);
}
ssize_t pread(int fd, void *b, size_t n, off_t o) {
    REAL(pread); FAIL(reading(fd)); return real(fd, b, n, o);
}
ssize_t pread64(int fd, void *b, size_t n, off64_t o) {
    REAL(pread64); FAIL(reading(fd)); return real(fd, b, n, o);
}

static int opening(const char *path, int flags) {
    if (mode() == 3 && ours_path(path) && (flags & (O_WRONLY | O_RDWR | O_CREAT))) return EROFS;
    return 0;
}

int open(const char *path, int flags, ...) {
    REAL(open);
    va_list a; va_start(a, flags); mode_t m = va_arg(a, mode_t); va_end(a);
    FAIL(opening(path, flags)); return real(path, flags, m);
}
int open64(const char *path, int flags, ...) {
    REAL(open64);
    va_list a; va_start(a, flags); mode_t m = va_arg(a, mode_t); va_end(a);
    FAIL(opening(path, flags)); return real(path, flags, m);
}
