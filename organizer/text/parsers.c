/*
 * organizer-parsers: the program that reads what documents say, started by organizer-main only.
 *
 * It is a program of its own so that the libraries that parse documents are in no other process:
 * not where documents are renamed, and not where they cost every start some milliseconds.
 *
 * A parser may open no file, but poppler opens one for each Chinese, Japanese or Korean font that does not
 * tell what its characters are (Debian's poppler-data). So all of these are read before the sandbox closes,
 * into memory that parsers share, and this program's fopen(3), which stands before libc's, finds them
 * there.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/io.h"
#include "base/str.h"
#include "examine/wire.h"
#include "text/nursery.h"

#define NICE     4
#define DATA     "/usr/share/poppler"
#define DATA_MAX ((size_t)64 << 20)
#define DEPTH    3 /* folders below it */

/* A file of poppler-data. */
struct data_file {
    char *path;
    size_t at, n; /* bytes of the memory */
};

/* Set by read_data(), before anything is parsed; fopen(3) has no other way to it. */
static struct {
    struct data_file *files; /* by path */
    size_t len, cap;
    char *p;
} data;

static void add_file(int memory, const char *path, size_t *at)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_STR struct str text = STR_INIT;

    if (fd < 0 || io_read_all(fd, &text, DATA_MAX) < 0 || text.len == 0 ||
        *at + text.len > DATA_MAX || io_write_all(memory, text.s, text.len) < 0)
        return;
    GROW(data.files, data.len, data.cap);
    data.files[data.len++] = (struct data_file){xstrdup(path), *at, text.len};
    *at += text.len;
}

static void add_folder(int memory, const char *folder, size_t *at, int depth)
{
    DIR *d = opendir(folder);
    struct dirent *e;

    while (d && io_next(d, &e) > 0) {
        AUTO_FREE char *path = xasprintf("%s/%s", folder, e->d_name);
        struct stat st;

        if (e->d_name[0] == '.' || lstat(path, &st) < 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth > 0)
            add_folder(memory, path, at, depth - 1);
        else if (S_ISREG(st.st_mode))
            add_file(memory, path, at);
    }
    if (d)
        closedir(d);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct data_file *)a)->path, ((const struct data_file *)b)->path);
}

/* Where it is not installed, or there is no memory for it, such fonts are not read. */
static void read_data(void)
{
    AUTO_CLOSE int memory = memfd_create("poppler-data", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t n = 0;
    void *p;

    if (memory < 0)
        return;
    add_folder(memory, DATA, &n, DEPTH);
    /* Shared, so that no fork has to copy its map; sealed, or a parser could make its map writable
     * and put there what the next one reads. */
    if (fcntl(memory, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
        n = 0;
    p = n > 0 ? mmap(NULL, n, PROT_READ, MAP_SHARED, memory, 0) : MAP_FAILED;
    if (p == MAP_FAILED) {
        data.len = 0;
        return;
    }
    data.p = p;
    qsort(data.files, data.len, sizeof *data.files, by_path);
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
    const struct data_file key = {.path = (char *)(uintptr_t)path};
    const struct data_file *f =
        data.p && *mode == 'r'
            ? bsearch(&key, data.files, data.len, sizeof *data.files, by_path)
            : NULL;
    FILE *(*next)(const char *, const char *);

    if (f)
        return fmemopen(data.p + f->at, f->n, "r");
    *(void **)&next = dlsym(RTLD_NEXT, "fopen");
    return next ? next(path, mode) : NULL;
}

int main(int argc, char **argv)
{
    struct wire_setup setup;
    int fd, n;

    if (argc != 3 || strcmp(argv[1], "--reader") != 0 || strcmp(argv[2], "parsers") != 0)
        return EXIT_USAGE;
    n = wire_receive(WIRE_FD, &setup, sizeof setup, &fd);
    if (n == 0)
        return EXIT_ORDER;
    if (n != sizeof setup || setup.what != WIRE_SETUP || setup.version != WIRE_VERSION)
        return EXIT_CANNOT;
    /* What names and files documents goes first; without it that only takes longer. */
    (void)setpriority(PRIO_PROCESS, 0, NICE);
    read_data();
    return nursery_parsers(&setup);
}
