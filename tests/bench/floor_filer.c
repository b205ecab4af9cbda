/*
 * floor_filer: the least that can be called filing, in one thread: inotify, libmagic, SHA-256, a
 * pattern for the name, a rename without overwriting, a line in a journal. It has no cases, rules,
 * pages or undo, believes every event, and loses what overflows.
 *
 *   floor_filer INBOX OUT JOURNAL [fsync]    fsync: journal and folder on disk for each document
 */
#include <errno.h>
#include <fcntl.h>
#include <magic.h>
#include <openssl/evp.h>
#include <pcre2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATTERN "^([^_]+)_([A-Za-z]+)_([^_]+)_(\\d{4})-?(\\d\\d)-?(\\d\\d)\\.(\\w+)$"
#define HEAD 65536

struct floor {
    int in, out, journal;
    bool fsync;
    magic_t magic;
    EVP_MD_CTX *sha;
    pcre2_code *pattern;
    pcre2_match_data *match;
};

static char data[1 << 20];

/* Group i of the last match, copied. */
static const char *group(const struct floor *f, const char *name, int i, char *to, size_t size)
{
    const PCRE2_SIZE *o = pcre2_get_ovector_pointer(f->match);

    snprintf(to, size, "%.*s", (int)(o[2 * i + 1] - o[2 * i]), name + o[2 * i]);
    return to;
}

/* Folder and name for a document: by the pattern, or by its own name and date. */
static void destination(const struct floor *f, const char *name, const struct stat *st,
                        char folder[512], char stem[1600], char ext[64])
{
    char g[8][256], *dot;
    struct tm t;

    if (pcre2_match(f->pattern, (PCRE2_SPTR)name, strlen(name), 0, 0, f->match, NULL) > 0) {
        for (int i = 1; i < 8; i++)
            group(f, name, i, g[i], sizeof g[i]);
        snprintf(folder, 512, "%.200s/%.200s", g[1], g[2]);
        snprintf(stem, 1600, "%s_%s_%s_%s-%s-%s", g[1], g[2], g[3], g[4], g[5], g[6]);
        snprintf(ext, 64, ".%.60s", g[7]);
        return;
    }
    snprintf(g[0], sizeof g[0], "%s", name);
    dot = strrchr(g[0], '.');
    snprintf(ext, 64, "%.60s", dot ? dot : "");
    if (dot)
        *dot = '\0';
    for (char *p = g[0]; *p; p++)
        if (*p == ' ')
            *p = '-';
    localtime_r(&st->st_mtime, &t);
    snprintf(folder, 512, "Unsorted");
    snprintf(stem, 1600, "Unknown_General_%s_%04d-%02d-%02d", g[0], t.tm_year + 1900, t.tm_mon + 1,
             t.tm_mday);
}

static void make_folders(int out, const char *path)
{
    char part[512];

    snprintf(part, sizeof part, "%s", path);
    for (char *p = part; (p = strchr(p, '/')); *p++ = '/') {
        *p = '\0';
        (void)mkdirat(out, part, 0755);
    }
    (void)mkdirat(out, part, 0755);
}

static bool move(const struct floor *f, const char *name, const char *folder, const char *stem,
                 const char *ext, char path[4096])
{
    snprintf(path, 4096, "%s/%s%s", folder, stem, ext);
    for (int serial = 2; renameat2(f->in, name, f->out, path, RENAME_NOREPLACE) < 0;) {
        if (errno == ENOENT)
            make_folders(f->out, folder);
        else if (errno == EEXIST)
            snprintf(path, 4096, "%s/%s-%d%s", folder, stem, serial++, ext);
        else
            return false;
    }
    return true;
}

/* Reads the document once: its type and its digest. */
static void examine(const struct floor *f, int fd, char mime[128], unsigned char digest[32])
{
    bool first = true;
    ssize_t n;

    EVP_DigestInit_ex(f->sha, EVP_sha256(), NULL);
    while ((n = read(fd, data, sizeof data)) > 0) {
        if (first) {
            const char *m = magic_buffer(f->magic, data, n > HEAD ? HEAD : (size_t)n);

            snprintf(mime, 128, "%s", m ? m : "?");
        }
        first = false;
        EVP_DigestUpdate(f->sha, data, (size_t)n);
    }
    EVP_DigestFinal_ex(f->sha, digest, NULL);
}

static void file_one(const struct floor *f, const char *name)
{
    int fd = openat(f->in, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    char mime[128] = "", folder[512], stem[1600], ext[64], path[4096], line[8192];
    unsigned char digest[32];
    struct stat st;
    int n;

    if (fd < 0)
        return;
    examine(f, fd, mime, digest);
    fstat(fd, &st);
    close(fd);
    destination(f, name, &st, folder, stem, ext);
    if (!move(f, name, folder, stem, ext, path))
        return;
    n = snprintf(line, sizeof line, "%s\t%s\t%s\t", name, path, mime);
    for (int i = 0; i < 32; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, "%02x", digest[i]);
    line[n++] = '\n';
    if (write(f->journal, line, (size_t)n) != n)
        perror("journal");
    if (f->fsync) {
        fdatasync(f->journal);
        fd = openat(f->out, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fsync(fd);
        close(fd);
    }
}

static int open_floor(struct floor *f, char **argv)
{
    int number;
    PCRE2_SIZE at;

    f->in = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    f->out = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    f->journal = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    f->magic = magic_open(MAGIC_MIME_TYPE);
    f->sha = EVP_MD_CTX_new();
    f->pattern =
        pcre2_compile((PCRE2_SPTR)PATTERN, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &number, &at, NULL);
    if (f->in < 0 || f->out < 0 || f->journal < 0 || !f->pattern || magic_load(f->magic, NULL) < 0)
        return -1;
    pcre2_jit_compile(f->pattern, PCRE2_JIT_COMPLETE);
    f->match = pcre2_match_data_create_from_pattern(f->pattern, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    static char events[1 << 18] __attribute__((aligned(8)));
    struct floor f = {.fsync = argc > 4};
    int ifd = inotify_init1(IN_CLOEXEC);
    ssize_t n;

    if (argc < 4 || open_floor(&f, argv) < 0 ||
        inotify_add_watch(ifd, argv[1], IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
        return 1;
    puts("ready");
    fflush(stdout);
    while ((n = read(ifd, events, sizeof events)) > 0) {
        for (char *p = events; p < events + n;) {
            struct inotify_event *ev = (void *)p;

            if (ev->len && !(ev->mask & IN_ISDIR))
                file_one(&f, ev->name);
            p += sizeof *ev + ev->len;
        }
    }
    return 0;
}
