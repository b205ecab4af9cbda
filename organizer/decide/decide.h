/*
 * decide: facts and rules in, a decision with its reasons out. Touches no disk, clock or
 * environment, so that check, explain, plan and the daemon cannot disagree (design.md section 5).
 *
 *   decide_is_ignored(name)      first, before anything is opened
 *   decide_needs_content(facts)  whether examining it can change the decision
 *   decide(facts)                the table of section 5, top-down, first row that applies
 */
#ifndef ORGANIZER_DECIDE_DECIDE_H
#define ORGANIZER_DECIDE_DECIDE_H

#include <stdbool.h>

#include "base/str.h"
#include "decide/facts.h"
#include "decide/lang.h"
#include "decide/reason.h"
#include "decide/rules.h"

enum action {
    ACTION_INDEX, /* stays under its name; indexed; reason may hold a remark */
    ACTION_LIST,  /* stays; needs attention: reason, sentence and help are set */
    ACTION_FILE,  /* gets `name` in `folder` of `target`; folder may be the one it is in */
    ACTION_RETRY, /* cannot tell now (style rule 6): try again later */
    ACTION_WAIT,  /* a draft: look again after wait_s */
};

/* One field of the name and where it came from. Owned strings, NULL when not found. */
struct field {
    char *value;  /* "Motion" */
    char *source; /* "rule motions.yaml:12, name matched \"mtn\"" */
    char *plain;  /* explain: the same for people, "its title says \"MOTION\""; else NULL */
};

struct decision {
    enum action action;
    enum reason reason;
    char *sentence;                  /* what a person reads; "" when there is nothing to say */
    char *help;                      /* the one act that helps; "" when none */
    const struct case_facts *target; /* ACTION_FILE: the case; borrowed from the facts */
    char *folder;                    /* ACTION_FILE: folder inside the case */
    char *name;                      /* ACTION_FILE: the name, without serial (name_serial()) */
    struct field client, case_type, type, words, date;
    struct field matter;   /* in the office's Inbox, when what the document says told the case */
    const char *type_name; /* vocabulary's name of the type, borrowed from the rules, or NULL */
    struct date day;       /* the date of `date` */
    char **candidates;     /* NULL-terminated: case paths, or type names, or did-you-mean */
    int64_t wait_s;        /* ACTION_WAIT */
    bool wants_content;    /* the facts had no content, and with it the decision may be another:
                              read the document and decide again */
    bool unchecked;        /* the facts had no content, which could contradict the decision: the
                              document may be of another case, of another type than its name says, or
                              a mail that is there already. Read it first where there is time */
    char *story;           /* explain: all of it in sentences that a person would say; else NULL */
    struct str trace;      /* explain: one line per row and rule tried, why it did or not */
};

/*
 * The sentences: lang "reason.<code>" and "help.<code>" with these placeholders, "" where they say
 * nothing:
 *   {name} {folder}  the document's, escaped for people      {case}  its case's prefix
 *   {other}       other-case: the other case, or "a restricted matter" (lang "case.restricted");
 *                 contradiction: the name with the right extension; same-content, already-filed,
 *                 new-version, conflict-copy: the other document
 *   {why}         as-is: the folder, the card's words or the rule that leaves it alone;
 *                 reader-failed: why; which-case: the prefix that no case has; other-case: the
 *                 words of the name that belong to the other case
 *   {candidates}  separated by ", "
 *   {date} {other_date}  the dates, ISO; impossible-date: as written       {type}  no-date: its
 * type {kind} {ext}  what the content is, for a person; the extension without dot Variants come
 * first where the language has them, behind the code: "reason.which-case.candidates",
 * ".no-such-case", ".did-you-mean", ".as-is", ".conflict-copy"; "reason.unknown-type.did-you-mean";
 * "reason.contradiction.unknown" when the content is of no known type.
 * A date that is the file's own is told by lang "name.received" ("Received") behind the type.
 */

/* The daemon's own, a temporary, lock or system name (design.md section 5, first row; names.md):
 * never opened. dir says whether it is a folder. `why` (may be NULL) gets the rule's file:line,
 * borrowed from the rules. */
bool decide_is_ignored(const struct rules *rules, const char *name, bool dir, const char **why);
/* False when the decision is the same whatever the content is (left alone, by hand, undone). */
bool decide_needs_content(const struct rules *rules, const struct facts *f);
/* Fills d; free with decision_clear(). explain asks for the full trace. */
void decide(const struct rules *rules, const struct lang *lang, const struct policy *policy,
            const struct facts *f, bool explain, struct decision *d);
void decision_clear(struct decision *d);
/* The one-line why: `type Motion (rule motions.yaml:12, …), date 2026-03-02 (name)`. Caller frees.
 */
char *decision_why(const struct decision *d);

#endif
