/*
 * tz: local dates and times of a named time zone, for pages.
 *
 * The C library knows one zone a process (TZ) and pages are made beside the loop, so the zone's
 * file (TZif, RFC 8536) is read here, once a job. A zone is read-only after loading.
 */
#ifndef ORGANIZER_PUBLISH_TZ_H
#define ORGANIZER_PUBLISH_TZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tz;

#define TZ_DAY    24 /* "2026-11-23" and a NUL, with room for any year */
#define TZ_MINUTE 32 /* "2026-11-23 17:14" and a NUL */

/* The IANA zone name ("America/New_York") from /usr/share/zoneinfo. NULL, unknown or broken ones
 * count as UTC. Never NULL; the caller frees it. */
struct tz *tz_load(const char *name);
/* As tz_load(), from the n bytes of a TZif file. */
struct tz *tz_parse(const void *bytes, size_t n);
void tz_free(struct tz *z);
/* Seconds east of UTC at t (seconds since 1970, UTC). */
int32_t tz_offset(const struct tz *z, int64_t t);
/* The local calendar day and the local day and minute of ns (UTC nanoseconds) into buf. */
const char *tz_day(const struct tz *z, int64_t ns, char buf[static TZ_DAY]);
const char *tz_minute(const struct tz *z, int64_t ns, char buf[static TZ_MINUTE]);

#endif
