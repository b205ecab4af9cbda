/* night: the time of the office's night, by the wall clock of its time zone. */
#ifndef ORGANIZER_FLOW_NIGHT_H
#define ORGANIZER_FLOW_NIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct error;
struct night;
struct tz;

/* The next moment after now_ns (UTC) at which the clock in the zone shows `minute` minutes past
 * midnight, UTC seconds. Right on the days on which clocks are changed; a time that such a day
 * leaves out is taken an hour later. */
int64_t night_next(const struct tz *zone, int64_t now_ns, int minute);

/* The last such moment that is not after now_ns. */
int64_t night_last(const struct tz *zone, int64_t now_ns, int minute);

/* Calls tick each night, and with `set` when the clock was set: a night may have been passed over. A
 * machine that slept through it gets its tick when it wakes. minute < 0: never. NULL with err. */
struct night *night_new(uv_loop_t *loop, const char *zone, int minute, int64_t shift_ns,
                        void (*tick)(void *ctx, bool set), void *ctx, struct error *err);
/* When the next one begins, and when the last one should have, by the clock as it is now; UTC
 * seconds, 0 for never. */
int64_t night_when(const struct night *n);
int64_t night_before(const struct night *n);
/* NULL is fine. The memory goes when the loop has run once more. */
void night_free(struct night *n);

#endif
