#include "search/fts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "search/catalogue.h"
#include "search/rank.h"
#include "search/stems.h"
#include "search/words.h"

/* ---- the tokenizer ----------------------------------------------------------------------------
 */

static int make_tokenizer(void *ctx, const char **args, int n, Fts5Tokenizer **out)
{
    (void)ctx;
    (void)args;
    (void)n;
    *out = (Fts5Tokenizer *)stems_new();
    return SQLITE_OK;
}

static void free_tokenizer(Fts5Tokenizer *t)
{
    stems_free((struct stems *)t);
}

typedef int token_fn(void *ctx, int flags, const char *token, int len, int start, int end);

static int tokenize(Fts5Tokenizer *t, void *ctx, int flags, const char *text, int n,
                    token_fn *token)
{
    struct stems *stems = (struct stems *)t;
    struct words w;
    int rc = SQLITE_OK;

    words_begin(&w, text, (size_t)n);
    while (rc == SQLITE_OK && words_next(&w)) {
        size_t len;
        const char *stem = stems_of(stems, w.word, w.len, &len);
        bool differs = len != w.len || memcmp(stem, w.word, len) != 0;

        if (flags & FTS5_TOKENIZE_PREFIX) {
            stem = w.word;
            len = w.len;
        }
        rc = token(ctx, 0, stem, (int)len, (int)w.start, (int)w.stop);
        if (rc == SQLITE_OK && differs && !(flags & FTS5_TOKENIZE_QUERY))
            rc = token(ctx, FTS5_TOKEN_COLOCATED, w.word, (int)w.len, (int)w.start, (int)w.stop);
    }
    return rc;
}

/* ---- compressed text ---------------------------------------------------------------------------
 */

/* unpack(blob): the text of a compressed one; NULL for NULL. */
static void sql_unpack(sqlite3_context *ctx, int n, sqlite3_value **v)
{
    const void *blob = sqlite3_value_blob(v[0]);
    size_t len = (size_t)sqlite3_value_bytes(v[0]), got;
    unsigned long long size;
    char *text;

    (void)n;
    if (!blob)
        return;
    size = ZSTD_getFrameContentSize(blob, len);
    if (size > CATALOGUE_TEXT_MAX) {
        sqlite3_result_error(ctx, "a text of the catalogue is damaged", -1);
        return;
    }
    text = xmalloc((size_t)size + 1);
    got = ZSTD_decompress(text, (size_t)size, blob, len);
    if (ZSTD_isError(got)) {
        free(text);
        sqlite3_result_error(ctx, "a text of the catalogue is damaged", -1);
        return;
    }
    sqlite3_result_text64(ctx, text, got, free, SQLITE_UTF8);
}

/* ---- registering ------------------------------------------------------------------------------
 */

static fts5_api *api_of(sqlite3 *db)
{
    fts5_api *api = NULL;
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_pointer(st, 1, &api, "fts5_api_ptr", NULL);
        sqlite3_step(st);
    }
    sqlite3_finalize(st);
    return api;
}

int fts_register(sqlite3 *db, struct rank *rank, struct error *err)
{
    fts5_tokenizer office = {make_tokenizer, free_tokenizer, tokenize};
    fts5_api *api = api_of(db);

    if (!api)
        return error_set(err, 0, "this SQLite (%s) has no full text search (FTS5)",
                         sqlite3_libversion());
    if (api->xCreateTokenizer(api, "office", NULL, &office, NULL) != SQLITE_OK ||
        rank_register(rank, api) < 0 ||
        sqlite3_create_function(db, "unpack", 1,
                                SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
                                sql_unpack, NULL, NULL) != SQLITE_OK)
        return error_set(err, 0, "the full text search cannot be set up (%s)", sqlite3_errmsg(db));
    return 0;
}
