/* when: points in time as people type them behind --since. */
#ifndef ORGANIZER_VERBS_WHEN_H
#define ORGANIZER_VERBS_WHEN_H

#include <stdint.h>

struct env;
struct error;

/*
 * Reads "90m", "2h", "3d", "1w" (so long ago), "today", "yesterday", a date or a date and time of
 * the office's zone ("2026-11-23", "2026-11-23 15:00"), or what the journals say
 * ("2026-11-23T15:00:00Z"). Returns 0 with *t (UTC ns), or -1 with err, which tells what would do.
 */
int when_parse(const char *text, const struct env *env, const char *zone, int64_t *t,
               struct error *err);

#endif
