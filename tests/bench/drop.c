/*
 * drop: what people do to a drop box, as fast as it can be done.
 *
 *   drop rename SRC INBOX              moves every file of SRC in; prints how many and the seconds
 *   drop latency FILE INBOX DEST COUNT GAP_MS TIMEOUT_MS
 *       writes and closes COUNT copies of FILE, one after another, and waits for each until a
 *       name with its number appears in DEST; prints the microseconds of each, or "timeout"
 *
 *   drop sync FILE COUNT GAP_MS
 *       appends a line to FILE and calls fdatasync(2), COUNT times; prints the microseconds of
 *       each: what a promise costs on this disk just now
 *
 * The clock of a latency starts before close(2), which may let the filer run at once, and stops
 * when inotify tells of the new name.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

static char data[4 << 20];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static int drop_all(const char *from, const char *to)
{
    int dst = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = opendir(from);
    char **names = NULL;
    size_t len = 0;
    struct dirent *e;
    double start;

    if (!d || dst < 0)
        return fail(d ? to : from);
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        names = realloc(names, (len + 1) * sizeof *names);
        names[len++] = strdup(e->d_name);
    }
    start = now();
    for (size_t i = 0; i < len; i++)
        if (renameat(dirfd(d), names[i], dst, names[i]) < 0)
            return fail(names[i]);
    printf("%zu %.4f\n", len, now() - start);
    return 0;
}

/* Waits until the folder behind ifd gets a name with the number; microseconds, or -1. */
static double wait_for(int ifd, const char *number, double start, int timeout_ms)
{
    char events[65536] __attribute__((aligned(8)));

    for (;;) {
        struct pollfd p = {.fd = ifd, .events = POLLIN};
        int left = timeout_ms - (int)((now() - start) * 1000);
        double seen;
        ssize_t n;

        if (left <= 0 || poll(&p, 1, left) <= 0)
            return -1;
        n = read(ifd, events, sizeof events);
        seen = now();
        for (char *at = events; at < events + n;) {
            struct inotify_event *ev = (struct inotify_event *)(void *)at;

            if (ev->len && strstr(ev->name, number))
                return (seen - start) * 1e6;
            at += sizeof *ev + ev->len;
        }
    }
}

static void rest(int ms)
{
    struct timespec gap = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    nanosleep(&gap, NULL);
}

/* A descriptor still open on the whole document, or -1. */
static int write_document(const char *path, size_t size, int number)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    char tail[32];
    int n = snprintf(tail, sizeof tail, "%%%d\n", number);

    /* No two are the same: the same content again would not be filed. */
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || write(fd, tail, (size_t)n) != n)
        return -1;
    return fd;
}

static int latency(char **arg)
{
    int count = atoi(arg[3]), gap_ms = atoi(arg[4]), timeout_ms = atoi(arg[5]);
    int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, data, sizeof data - 1);
    int ifd = inotify_init1(IN_CLOEXEC);

    if (size <= 0 || inotify_add_watch(ifd, arg[2], IN_MOVED_TO | IN_CREATE) < 0)
        return fail(size <= 0 ? arg[0] : arg[2]);
    for (int i = 0; i < count; i++) {
        char number[16], path[4096];
        double us, start;

        snprintf(number, sizeof number, "%05d", 10000 + i);
        snprintf(path, sizeof path, "%s/Smith_Litigation_Motion-%s_2026-03-02.pdf", arg[1],
                 number);
        fd = write_document(path, (size_t)size, i);
        if (fd < 0)
            return fail(path);
        start = now();
        close(fd);
        us = wait_for(ifd, number, start, timeout_ms);
        if (us < 0)
            puts("timeout");
        else
            printf("%.1f\n", us);
        rest(gap_ms);
    }
    return 0;
}

static int sync_lines(char **arg)
{
    int fd = open(arg[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int gap_ms = atoi(arg[2]);

    memset(data, 'x', 255);
    data[255] = '\n';
    for (int i = atoi(arg[1]); i > 0; i--) {
        double start = now();

        if (write(fd, data, 256) != 256 || fdatasync(fd) < 0)
            return fail(arg[0]);
        printf("%.1f\n", (now() - start) * 1e6);
        rest(gap_ms);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "rename") == 0)
        return drop_all(argv[2], argv[3]);
    if (argc == 8 && strcmp(argv[1], "latency") == 0)
        return latency(argv + 2);
    if (argc == 5 && strcmp(argv[1], "sync") == 0)
        return sync_lines(argv + 2);
    fputs("usage: drop rename SRC INBOX\n"
          "       drop latency FILE INBOX DEST COUNT GAP_MS TIMEOUT_MS\n"
          "       drop sync FILE COUNT GAP_MS\n",
          stderr);
    return 2;
}
