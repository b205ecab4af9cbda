/* night_report: what came of a night, for the hook, the private state, and people. */
#ifndef ORGANIZER_FLOW_NIGHT_REPORT_H
#define ORGANIZER_FLOW_NIGHT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str;

/* Something that was wrong or could not be done. Owned strings. */
struct night_failure {
    char *path; /* of the case, "" when it is about no single one */
    char *what; /* the step: verify, archive, prune, retire, send */
    char *why;
};

/* All zero is the report of a night that did nothing. */
struct night_report {
    char *cabinet; /* absolute path; owned */
    int64_t began_ns, ended_ns;
    uint64_t cases;
    uint64_t verified, resumed; /* cases that were read; that were since the night was cut off */
    uint64_t documents, bytes, findings;
    uint64_t archived, unchanged, not_archived;
    uint64_t pruned, retired, sent;
    struct night_failure *failures; /* at most NIGHT_FAILURES_MAX are kept; failures_len counts all */
    size_t failures_len;
};

#define NIGHT_FAILURES_MAX 100

/* Frees what it holds; all zero then. */
void night_report_clear(struct night_report *r);
/* Adds a failure; strings are copied. */
void night_report_failed(struct night_report *r, const char *path, const char *what,
                         const char *why);
/* The event `nightly`: one JSON object, without a newline. */
void night_report_json(const struct night_report *r, struct str *out);
/* Lines for a person at a terminal; one line for the log. */
void night_report_text(const struct night_report *r, struct str *out);
void night_report_line(const struct night_report *r, struct str *out);
/* A dry run: one line for what would be done to a case. */
void night_report_would(struct str *out, bool json, const char *what, const char *path);

#endif
