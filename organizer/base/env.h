/*
 * env: time and place as an argument (style rule 12).
 *
 * main() fills one struct env from the process's environment; everything below takes it. Nothing
 * below main() calls time() or getenv().
 */
#ifndef ORGANIZER_BASE_ENV_H
#define ORGANIZER_BASE_ENV_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

struct env {
    int64_t clock_shift_ns; /* added to the wall clock; 0 except in tests (ORGANIZER_CLOCK: seconds) */
    const volatile int64_t *clock_moving; /* the same instead, in a mapped file that a test writes
                                             (ORGANIZER_CLOCK: @FILE, nanoseconds); else NULL */
    int64_t patience_ns;    /* what is waited for longer than this is listed: 15 minutes, except in
                               tests (ORGANIZER_PATIENCE: seconds) */
    char *state_home;       /* absolute: holds CABINET-ID/, see cabinet/state.h; owned */
    char *run_home;         /* absolute: holds CABINET-ID/socket for the members of `group:`; owned */
    char *rules_dir;        /* absolute: the shipped rules; owned */
    char *hooks_dir;        /* absolute: where hooks/<event>/ lie; owned */
    char *self_exe;         /* absolute path of the running program; owned */
    bool color;             /* standard output is a terminal that wants colour */
    bool tty;               /* standard output is a terminal */
    bool journald;          /* stderr goes to journald (JOURNAL_STREAM) */
};

/* Fills e from the environment. Returns 0, or -1 when neither HOME nor STATE_DIRECTORY is set. */
struct error;
int env_init(struct env *e, struct error *err);
void env_clear(struct env *e);
/* Wall clock, UTC, nanoseconds since 1970. */
int64_t env_now(const struct env *e);
/* The clock that stamps files: never shifted. */
int64_t env_disk_now(const struct env *e);
/* What env_now() is ahead of it, nanoseconds. */
int64_t env_shift(const struct env *e);
/* Monotonic clock in nanoseconds; never shifted. */
int64_t env_ticks(void);
/* t (UTC ns) as "2026-11-23T22:14:47.123456Z" into buf. */
#define TIME_TEXT 40
const char *time_text(int64_t t, char buf[static TIME_TEXT]);
/* Reads what time_text() writes (fraction optional). Returns 0, or -1 when it is not one. */
int time_parse(const char *s, int64_t *t);

#endif
