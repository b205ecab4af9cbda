/*
 * runner: runs the executables in hooks/<event>/ (design.md section 2: never from the share).
 *
 * Each gets one JSON object on standard input, no shell, a clean environment (PATH, HOME, LANG,
 * ORGANIZER_EVENT), its own process group, a time limit, and at most `limit` run at once. Output
 * (the first 4 KiB) and status go to the log. A hook or folder that others than root or our user
 * may write is refused and told. before-filing may veto: exit status 1 with the reason on
 * standard output; a hook that cannot run or times out counts as "cannot tell" (retry later).
 */
#ifndef ORGANIZER_HOOKS_RUNNER_H
#define ORGANIZER_HOOKS_RUNNER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/log.h"

struct error;
struct hooks;
struct str;

enum hook_answer {
    HOOK_NONE,   /* no hook for this event */
    HOOK_OK,     /* all ended with 0 */
    HOOK_VETO,   /* before-filing: text is the reason */
    HOOK_FAILED, /* did not run, was killed, timed out, another status: text says what */
};

typedef void hook_done(void *ctx, enum hook_answer answer, const char *text);

struct hooks *hooks_new(uv_loop_t *loop, const char *dir, unsigned limit, int64_t ms,
                        const struct log *log);
/* True when there is at least one usable hook for the event; cheap, cached until hooks_reload(). */
bool hooks_any(struct hooks *h, const char *event);
/* Runs the event's hooks one after another in name order; document (may be -1) is passed as descriptor 3,
 * read-only. done (may be NULL) is called once, from the loop. json is copied. */
void hooks_run(struct hooks *h, const char *event, const char *json, int document,
               hook_done *done, void *ctx);
void hooks_reload(struct hooks *h);
unsigned hooks_pending(const struct hooks *h);
/* Members of a JSON object for `status`. */
void hooks_status(struct hooks *h, struct str *out);
/* Kills what runs. */
void hooks_free(struct hooks *h);

#endif
