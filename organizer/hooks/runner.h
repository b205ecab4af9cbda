/*
 * runner: runs the executables in hooks/<event>/ (design.md section 2: never from the share).
 *
 * Each gets one JSON object on standard input, no shell, a clean environment (PATH, HOME, LANG,
 * ORGANIZER_EVENT), its own process group, a time limit, and at most `limit` run at once, of
 * which one place is kept for before-filing, so that slow notices do not hold up filing. Output
 * and errors (the first 4 KiB of each) and status go to the log. A hook or folder that others than
 * root or our user may write is refused and told.
 *
 * before-filing may veto: exit status 1 with the reason on standard output. All else but 0 counts
 * as "cannot tell" (retry later): another status, status 1 without a word (a script that broke),
 * a hook that cannot run, is killed or takes too long. It ends the round: who comes after it is
 * asked in the next one. For other events each hook runs, whatever became of those before it.
 */
#ifndef ORGANIZER_HOOKS_RUNNER_H
#define ORGANIZER_HOOKS_RUNNER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/log.h"

struct hooks;
struct str;

enum hook_answer {
    HOOK_NONE,   /* no hook for this event */
    HOOK_OK,     /* all ended with 0 */
    HOOK_VETO,   /* before-filing: text is the reason, one line of valid UTF-8 */
    HOOK_FAILED, /* did not run, was killed, timed out, another status: text says what */
};

typedef void hook_done(void *ctx, enum hook_answer answer, const char *text);

/* Hooks of dir/<event>/, at most limit at once (0: 4), each for at most ms milliseconds (0: a
 * minute). log is borrowed. */
struct hooks *hooks_new(uv_loop_t *loop, const char *dir, unsigned limit, int64_t ms,
                        const struct log *log);
/* Another limit and time for what starts from now on. */
void hooks_set_limits(struct hooks *h, unsigned limit, int64_t ms);
/* Hooks of this event (one) may take long, each at most ms milliseconds: one runs at a time, in a
 * place of its own that does not count in the limit. */
void hooks_set_slow(struct hooks *h, const char *event, int64_t ms);
/* Kills the slow hook that runs, and drops those that wait: their done() is called with HOOK_FAILED. */
void hooks_stop_slow(struct hooks *h);
/* True when there is at least one usable hook for the event, or the folder cannot be read now;
 * cheap, cached until hooks_reload() once it was read. */
bool hooks_any(struct hooks *h, const char *event);
/* False when the event's folder cannot be read now. */
bool hooks_are_known(struct hooks *h, const char *event);
/* Reads the folders of all events now, so that what is refused, or lies in a folder that is no
 * event's ("before_filing"), is told in the log before it is missed. */
void hooks_look(struct hooks *h);
/* Runs the event's hooks one after another in name order; document (may be -1; open for reading
 * only) is passed as descriptor 3 at offset 0: its offset is shared and moves. done (may be NULL)
 * is called once: at once with HOOK_NONE, or HOOK_FAILED when the folder cannot be read now, else
 * later from the loop. json is copied, document is duplicated. */
void hooks_run(struct hooks *h, const char *event, const char *json, int document, hook_done *done,
               void *ctx);
/* As hooks_run() with a document; output is passed as descriptor 4, for what is longer than a hook's
 * standard output may be. It stays the caller's, open until done. */
void hooks_run_output(struct hooks *h, const char *event, const char *json, int document, int output,
                      hook_done *done, void *ctx);
/* Forgets what hooks_any() found: the folders are read again. */
void hooks_reload(struct hooks *h);
/* How many hooks_run() have not ended. */
unsigned hooks_pending(const struct hooks *h);
/* Members of a JSON object for `status`. */
void hooks_status(struct hooks *h, struct str *out);
/* Kills what runs; each done that was not called yet is called with HOOK_FAILED. NULL is fine. */
void hooks_free(struct hooks *h);

#endif
