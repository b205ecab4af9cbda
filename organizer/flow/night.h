/* night: the time of the office's night, by the wall clock of its time zone. */
#ifndef ORGANIZER_FLOW_NIGHT_H
#define ORGANIZER_FLOW_NIGHT_H

#include <stdint.h>
#include <uv.h>

struct error;
struct night;
struct tz;

/* The next moment after now_ns (UTC) at which the clock in the zone shows `minute` minutes past
 * midnight, UTC seconds. Right on the days on which clocks are changed; a time that such a day
 * leaves out is taken an hour later. */
int64_t night_next(const struct tz *zone, int64_t now_ns, int minute);

/* Calls tick each night; a clock that was set or a machine that slept is noticed. minute < 0:
 * never. NULL with err. */
struct night *night_new(uv_loop_t *loop, const char *zone, int minute, int64_t shift_ns,
                        void (*tick)(void *ctx), void *ctx, struct error *err);
/* NULL is fine. The memory goes when the loop has run once more. */
void night_free(struct night *n);

#endif
