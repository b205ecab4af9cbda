#include "search/lengths.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/env.h"

/* Reading them takes at most this part of the time. */
#define SELDOM 200

struct lengths {
    int64_t *keys; /* ascending */
    uint32_t *words;
    size_t len, cap;
    uint64_t sum;
    unsigned version; /* of the database, when they were read */
    int64_t read_at, took; /* ticks */
};

struct lengths *lengths_new(void)
{
    return xcalloc(1, sizeof(struct lengths));
}

void lengths_free(struct lengths *l)
{
    if (!l)
        return;
    free(l->keys);
    free(l->words);
    free(l);
}

/* FTS5 keeps a varint for each column: seven bits in a byte, the highest first. */
static uint32_t sum_of(const unsigned char *p, int n)
{
    uint32_t sum = 0, value = 0;

    for (int i = 0; i < n; i++) {
        value = value << 7 | (p[i] & 0x7F);
        if (p[i] & 0x80)
            continue;
        sum += value;
        value = 0;
    }
    return sum;
}

static void add(struct lengths *l, int64_t key, uint32_t words)
{
    if (l->len == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 1024;
        l->keys = xreallocarray(l->keys, l->cap, sizeof *l->keys);
        l->words = xreallocarray(l->words, l->cap, sizeof *l->words);
    }
    l->keys[l->len] = key;
    l->words[l->len++] = words;
    l->sum += words;
}

static int read_all(struct lengths *l, sqlite3 *db)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT id, sz FROM words_docsize ORDER BY id", -1, &st, NULL);

    l->len = 0;
    l->sum = 0;
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        add(l, sqlite3_column_int64(st, 0),
            sum_of(sqlite3_column_blob(st, 1), sqlite3_column_bytes(st, 1)));
        rc = SQLITE_OK;
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

int lengths_refresh(struct lengths *l, sqlite3 *db)
{
    unsigned version = 0;
    int64_t now = env_ticks();
    bool known = sqlite3_file_control(db, "main", SQLITE_FCNTL_DATA_VERSION, &version) == SQLITE_OK;

    if (l->read_at && ((known && version == l->version) || now - l->read_at < SELDOM * l->took))
        return 0;
    l->read_at = 0;
    if (read_all(l, db) < 0)
        return -1;
    l->version = version;
    l->read_at = env_ticks();
    l->took = l->read_at - now;
    return 0;
}

size_t lengths_len(const struct lengths *l)
{
    return l->len;
}

double lengths_average(const struct lengths *l)
{
    return l->sum > l->len ? (double)l->sum / (double)l->len : 1.0;
}

size_t lengths_before(const struct lengths *l, int64_t key, size_t *at)
{
    size_t low = *at, step = 1, high;

    if (low + 1 < l->len && l->keys[low] < key && key <= l->keys[low + 1])
        return ++*at;
    /* The next one is near, most of the time. */
    while (low + step < l->len && l->keys[low + step] < key) {
        low += step;
        step *= 2;
    }
    high = low + step < l->len ? low + step : l->len;
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (l->keys[mid] < key)
            low = mid + 1;
        else
            high = mid;
    }
    *at = low;
    return low;
}

double lengths_of(const struct lengths *l, int64_t key, size_t *at)
{
    size_t i = lengths_before(l, key, at);

    return i < l->len && l->keys[i] == key ? (double)l->words[i] : lengths_average(l);
}
