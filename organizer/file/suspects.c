#include "file/suspects.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/table.h"
#include "file/refuse.h"

/* Which file: no padding, it is compared as bytes. */
struct file_key {
    uint64_t dev, ino;
    int64_t birth_ns;
};

struct suspect {
    struct file_key key;
    struct doc_stamp stamp; /* as it was when it had the digest */
    struct digest digest;   /* zero: not known yet */
    UT_hash_handle hh;
};

struct suspects {
    pthread_mutex_t lock;
    struct suspect *list;
    bool all;
    uint64_t changes; /* of the list, so far */
};

struct suspects *suspects_new(void)
{
    struct suspects *s = xcalloc(1, sizeof *s);

    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static void drop(struct suspects *s, struct suspect *one)
{
    HASH_DEL(s->list, one);
    free(one);
}

void suspects_free(struct suspects *s)
{
    if (!s)
        return;
    while (s->list)
        drop(s, s->list);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Under the lock. */
static struct suspect *find(const struct suspects *s, const struct doc_stamp *st)
{
    const struct file_key key = {st->dev, st->ino, st->birth_ns};
    struct suspect *found;

    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): all of it is set */
    HASH_FIND(hh, s->list, &key, sizeof key, found);
    return found;
}

/* Under the lock. A digest that is known of the same bytes stays. */
static void add(struct suspects *s, const struct doc_stamp *st, const struct digest *d)
{
    struct suspect *one = find(s, st);

    if (!one) {
        one = xcalloc(1, sizeof *one);
        one->key = (struct file_key){st->dev, st->ino, st->birth_ns};
        HASH_ADD(hh, s->list, key, sizeof one->key, one);
    } else if (!digest_is_zero(&one->digest) && doc_stamp_same_bytes(&one->stamp, st)) {
        return;
    }
    one->stamp = *st;
    one->digest = *d;
    s->changes++;
}

void suspects_add(struct suspects *s, const int *fds, size_t n)
{
    static const struct digest unknown;
    struct doc_stamp st;

    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < n; i++) {
        if (doc_stamp_take(fds[i], -1, NULL, &st) == 0)
            add(s, &st, &unknown);
        else
            s->all = true;
    }
    pthread_mutex_unlock(&s->lock);
}

void suspects_add_all(struct suspects *s)
{
    pthread_mutex_lock(&s->lock);
    s->all = true;
    pthread_mutex_unlock(&s->lock);
}

static void add_as(struct suspects *s, const struct doc_stamp *st, const struct digest *d)
{
    pthread_mutex_lock(&s->lock);
    add(s, st, d);
    pthread_mutex_unlock(&s->lock);
}

void suspects_add_act(struct suspects *s, const struct act *a)
{
    add_as(s, &a->stamp, &a->doc.digest);
}

void suspects_learn(struct suspects *s, const struct act *a)
{
    pthread_mutex_lock(&s->lock);
    if (a->kind == ACT_RENAME && (s->all || find(s, &a->stamp)))
        add(s, &a->stamp, &a->doc.digest);
    pthread_mutex_unlock(&s->lock);
}

/* *was: what its bytes are to be, zero when nobody knows. */
static bool is_suspect(struct suspects *s, const struct act *a, struct digest *was)
{
    const struct suspect *one;
    bool is;

    pthread_mutex_lock(&s->lock);
    one = find(s, &a->stamp);
    is = one || s->all || !digest_is_zero(&a->was);
    if (!digest_is_zero(&a->was))
        *was = a->was;
    else if (one && !digest_is_zero(&one->digest) && doc_stamp_same_bytes(&one->stamp, &a->stamp))
        *was = one->digest;
    else
        *was = a->doc.digest;
    pthread_mutex_unlock(&s->lock);
    return is;
}

static void clear(struct suspects *s, const struct doc_stamp *st)
{
    struct suspect *one;

    pthread_mutex_lock(&s->lock);
    one = find(s, st);
    if (one)
        drop(s, one);
    s->changes += one != NULL;
    pthread_mutex_unlock(&s->lock);
}

/* Past the memory, which may have the only good bytes and keeps them so. 0; -1 with errno, EINVAL
 * when the file system cannot do that. */
static int read_past_memory(int root, const char *path, int doc, struct digest *d)
{
    AUTO_CLOSE int fd = beneath_open(root, path, O_RDONLY | O_NOFOLLOW | O_DIRECT, 0);
    struct doc_stamp st, now;

    if (fd < 0 || doc_stamp_take(doc, -1, NULL, &st) < 0 || doc_stamp_take(fd, -1, NULL, &now) < 0)
        return -1;
    if (doc_stamp_same_file(&now, &st))
        return digest_of_fd(fd, d);
    errno = EBUSY;
    return -1;
}

/* What a read fails with whose bytes the disk cannot give: as memory tells it, past it
 * (blk_status_to_errno() of the kernel), and by a file system's own sums. */
static bool is_unreadable(int number)
{
    return number == EIO || number == ENODATA || number == EREMOTEIO || number == EILSEQ ||
           number == ETIMEDOUT || number == ENOLINK || number == EUCLEAN || number == EBADMSG;
}

/* Whether the disk has these bytes: 1, 0, or -1 with errno. Some file systems read from memory what
 * they are asked to read past it, and some cannot: so what was not found otherwise there is dropped
 * from memory, and read again. */
static int disk_has(int root, const char *path, int fd, const struct digest *was)
{
    struct digest is;

    if (read_past_memory(root, path, fd, &is) == 0) {
        if (!digest_equal(&is, was))
            return 0;
    } else if (errno != EINVAL && errno != EOPNOTSUPP) {
        return is_unreadable(errno) ? 0 : -1;
    }
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (digest_of_fd(fd, &is) < 0)
        return is_unreadable(errno) ? 0 : -1;
    return digest_equal(&is, was);
}

static bool is_as_examined(const struct act *a)
{
    struct doc_stamp now;

    return doc_stamp_take(a->fd, -1, NULL, &now) == 0 && doc_stamp_same_bytes(&a->stamp, &now);
}

static int lost(struct suspects *s, struct act *a, const struct digest *was)
{
    a->doc.digest = *was;
    suspects_add_act(s, a);
    a->status = ACT_LOST;
    return error_set(&a->error, 0,
                     "the disk did not keep this document as it was written: bring it again from "
                     "where it came from");
}

int suspects_check(struct suspects *s, int root, const char *path, struct act *a)
{
    struct digest was;
    int has;

    if (!is_suspect(s, a, &was))
        return 0;
    if (fdatasync(a->fd) < 0) {
        int failed = errno;

        add_as(s, &a->stamp, &was);
        return refuse(a, failed, "the documents could not be brought onto the disk");
    }
    has = digest_is_zero(&was) ? 1
                               : disk_has(root, path, a->fd, &was); /* zero: nobody ever read it */
    if (has < 0)
        return refuse(a, errno, "it cannot be read from the disk");
    if (!is_as_examined(a))
        return refuse(a, EBUSY, "it changed since it was examined");
    if (!has)
        return lost(s, a, &was);
    clear(s, &a->stamp);
    return 0;
}

char *suspects_text(struct suspects *s, uint64_t root_dev, uint64_t *upto)
{
    struct str text = STR_INIT;
    char hex[DIGEST_HEX];
    bool changed;

    pthread_mutex_lock(&s->lock);
    changed = s->changes != *upto;
    *upto = s->changes;
    for (const struct suspect *one = changed ? s->list : NULL; one; one = one->hh.next)
        str_addf(&text, "%" PRIu64 " %" PRIu64 " %" PRId64 " %" PRIu64 " %" PRId64 " %s\n",
                 one->stamp.dev == root_dev ? 0 : one->stamp.dev, one->stamp.ino,
                 one->stamp.birth_ns, one->stamp.size, one->stamp.mtime_ns,
                 digest_hex(&one->digest, hex));
    pthread_mutex_unlock(&s->lock);
    return changed ? str_detach(&text) : NULL;
}

/* The next number of the line, and the space behind it; a negative one as its complement. */
static bool read_number(const char **at, uint64_t *n)
{
    char *end;

    errno = 0;
    *n = strtoull(*at, &end, 10);
    if (end == *at || *end != ' ' || errno)
        return false;
    *at = end + 1;
    return true;
}

/* One line, as suspects_text() wrote it. */
static bool read_suspect(const char *line, struct doc_stamp *st, struct digest *d)
{
    uint64_t birth, mtime;
    char hex[DIGEST_HEX];

    if (!read_number(&line, &st->dev) || !read_number(&line, &st->ino) ||
        !read_number(&line, &birth) || !read_number(&line, &st->size) ||
        !read_number(&line, &mtime))
        return false;
    st->birth_ns = (int64_t)birth;
    st->mtime_ns = (int64_t)mtime;
    snprintf(hex, sizeof hex, "%s", line);
    return digest_parse(hex, d) == 0;
}

void suspects_read(struct suspects *s, uint64_t root_dev, const char *text)
{
    struct doc_stamp st = {0};
    struct digest d;
    uint64_t changes;

    pthread_mutex_lock(&s->lock);
    changes = s->changes;
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        if (!read_suspect(text, &st, &d))
            continue;
        if (!st.dev)
            st.dev = root_dev;
        add(s, &st, &d);
    }
    s->changes = changes;
    pthread_mutex_unlock(&s->lock);
}
