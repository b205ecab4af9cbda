/*
 * failing_sql: SQLite's calls, standing before the library's. They are counted, and the nth fails,
 * or it and all that follow; when told so, only those of one thread. For one test that includes it.
 */
#ifndef TESTS_FAILING_SQL_H
#define TESTS_FAILING_SQL_H

#include <dlfcn.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>

static struct {
    atomic_uint n, at; /* calls so far; the one that fails, 0 for none */
    int code;
    bool ever; /* all that follow, too */
    bool here; /* only calls of this thread count: */
    pthread_t thread;
} sql;

/* From now on the nth call fails with the code. */
static inline void sql_fail_at(unsigned n, int code)
{
    sql.n = 0;
    sql.code = code;
    sql.at = n;
}

/* Only calls of the thread that says so count. */
static inline void sql_only_here(void)
{
    sql.thread = pthread_self();
    sql.here = true;
}

/* Whether it came. Nothing fails from here on. */
static inline bool sql_was_hit(void)
{
    bool hit = sql.at && sql.n >= sql.at;

    sql.at = 0;
    return hit;
}

/* Depth of the library's calls in this thread: it calls itself by these names, too. */
static _Thread_local unsigned sql_inside;

static bool fails(void)
{
    unsigned n;

    if (sql_inside || (sql.here && !pthread_equal(sql.thread, pthread_self())))
        return false;
    n = ++sql.n;
    return n == sql.at || (sql.ever && sql.at && n > sql.at);
}

/* Calls the library's own. */
#define REAL(name, ...)                                                                            \
    __extension__({                                                                                \
        static __typeof__(&name) real_;                                                            \
        int rc_;                                                                                   \
        if (!real_)                                                                                \
            *(void **)&real_ = dlsym(RTLD_NEXT, #name);                                            \
        sql_inside++;                                                                              \
        rc_ = real_(__VA_ARGS__);                                                                  \
        sql_inside--;                                                                              \
        rc_;                                                                                       \
    })

int sqlite3_step(sqlite3_stmt *st)
{
    return fails() ? sql.code : REAL(sqlite3_step, st);
}

int sqlite3_prepare_v3(sqlite3 *db, const char *text, int len, unsigned flags, sqlite3_stmt **st,
                       const char **tail)
{
    return fails() ? sql.code : REAL(sqlite3_prepare_v3, db, text, len, flags, st, tail);
}

int sqlite3_prepare_v2(sqlite3 *db, const char *text, int len, sqlite3_stmt **st, const char **tail)
{
    return fails() ? sql.code : REAL(sqlite3_prepare_v2, db, text, len, st, tail);
}

int sqlite3_exec(sqlite3 *db, const char *text, int (*fn)(void *, int, char **, char **), void *ctx,
                 char **message)
{
    return fails() ? sql.code : REAL(sqlite3_exec, db, text, fn, ctx, message);
}

int sqlite3_create_function(sqlite3 *db, const char *name, int args, int text, void *app,
                            void (*fn)(sqlite3_context *, int, sqlite3_value **),
                            void (*step)(sqlite3_context *, int, sqlite3_value **),
                            void (*final)(sqlite3_context *))
{
    return fails() ? sql.code
                   : REAL(sqlite3_create_function, db, name, args, text, app, fn, step, final);
}

#endif
