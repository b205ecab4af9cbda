/*
 * notices: what is to be said about a folder or a case, in the office's words. The same for the
 * daemon's pages, check, and the log.
 */
#ifndef ORGANIZER_FLOW_NOTICES_H
#define ORGANIZER_FLOW_NOTICES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "cabinet/cabinet.h"
#include "cabinet/matter.h"
#include "decide/lang.h"
#include "decide/reason.h"

/* Owned strings. */
struct notice_text {
    char *sentence, *help;
};

/* What a notice is about. Members may be NULL (""), line 0. */
struct notice_about {
    const char *path; /* from the cabinet down */
    const char *other, *why;
    unsigned line;
};

/* The sentence of reason and the act that helps; clear with notice_text_clear(). */
void notice_text_make(struct notice_text *t, const struct lang *lang, enum reason reason,
                      const struct notice_about *about);
void notice_text_clear(struct notice_text *t);

/* What a file is that is no document, for REASON_LINK: "a device". Borrowed. */
const char *notice_other_kind(const struct lang *lang, mode_t mode);

/* The reasons that a case's card and history can give, REASON_NONE behind the last. */
extern const enum reason notice_case_reasons[];
/* Whether the case gives this one of them; t is then filled. */
bool notice_of_case(struct notice_text *t, const struct matters *all, const struct matter *m,
                    const struct lang *lang, enum reason reason);

/* Whether a case that is gone was closed and has its archive: its folder may go. */
bool notice_is_archived(struct state *state, int root, const struct case_row *row);
/* Whether people are told that this case is gone: for 14 days, without its card as long as its
 * folder is there; not when it was closed and its archive is there. */
bool notice_is_gone_told(struct state *state, const struct case_row *row, int root, int64_t now_ns);
/* Whether people are told of the file path, because it was put beside the office Inbox, where nobody files
 * it: after `init`, and for 14 days. What lies longer is meant to lie there, and what is hidden is no
 * document. */
bool notice_is_loose_told(const struct cabinet *c, const char *path, const struct doc_stamp *file,
                          int64_t now_ns);
/* What they are told: the folder is missing or only the card in it, and which unless the case is
 * restricted. Returns the path that is missing ("" for a restricted one); the caller frees it. */
char *notice_of_gone(struct notice_text *t, const struct lang *lang, int root,
                     const struct case_row *row);

#endif
