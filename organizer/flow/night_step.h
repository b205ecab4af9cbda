/*
 * night_step: the parts of a night's work on one case, or on all. Each runs beside the loop, calls
 * done once from it, and can be asked to stop. flow/nightly.h puts them in order.
 */
#ifndef ORGANIZER_FLOW_NIGHT_STEP_H
#define ORGANIZER_FLOW_NIGHT_STEP_H

#include <stdbool.h>
#include <stdint.h>

struct flow;
struct matter;

enum step {
    STEP_DONE,    /* something was done */
    STEP_NOTHING, /* there was nothing to do */
    STEP_LEFT,    /* it could not be done now: text says why; the next night tries again */
    STEP_FOUND,   /* verify: something is wrong: text says what */
};

/* Borrowed during the call. */
struct step_result {
    enum step step;
    const char *text;          /* one sentence for a person, or where it went; "" when none */
    uint64_t documents, bytes; /* that were read */
    uint64_t count;            /* how many were done, or found */
};

typedef void step_done(void *ctx, const struct step_result *r);

/* Reads every document of the case and compares it with what was recorded. What changed although no
 * program did it is listed (REASON_CHANGED_UNREAD) and told by the hook `integrity`. stop is looked at
 * between documents; set by the loop (__atomic). */
void flow_verify_case(struct flow *f, const struct matter *m, const bool *stop, step_done *done,
                      void *ctx);

/* Removes intermediate snapshots beyond `keep:`, oldest first: only ours, byte for byte, and only
 * while a newer verified one is there. */
void flow_prune(struct flow *f, const struct matter *m, step_done *done, void *ctx);
/* How many it would remove. */
uint64_t flow_prunable(struct flow *f, const struct matter *m);

/* Moves a closed case to Closed/YEAR, when its archive, read once more, is what the journal says.
 * text is where it went. */
void flow_retire(struct flow *f, struct matter *m, step_done *done, void *ctx);
/* Why it would not be retired, whatever its archive is; NULL when it may. Borrowed. */
const char *flow_not_retirable(struct flow *f, const struct matter *m);
/* Moves a retired case back to where it was. text is where it went. */
void flow_unretire(struct flow *f, struct matter *m, step_done *done, void *ctx);
/* Whether a case lies among the retired ones. */
bool flow_is_retired(const struct matter *m);

/* Runs the hooks of the event `archived` for all archives that they have not taken yet, one after
 * another. count is how many they took; STEP_LEFT when one could not be. */
void flow_send(struct flow *f, step_done *done, void *ctx);
/* An archive was made: it is sent soon. */
void flow_send_soon(struct flow *f);

/* Remembers value under key in the private state, behind what is with the filer. NULL forgets. */
void flow_remember(struct flow *f, const char *key, const char *value);

#endif
