/*
 * journal: CASE/.organizer/journal.jsonl, what happened to every document, hash-chained.
 *
 * One JSON object a line (RFC 8259, UTF-8), newline-ended. Members common to all, in this order:
 *   v     1
 *   seq   1, 2, 3, … without a gap
 *   prev  SHA-256 in hex of the previous line's bytes without its newline; 64 zeros for the first
 *   at    UTC time
 *   kind  opened, filed, indexed, edited, moved, renamed, removed, returned, version, undone,
 *         applied, closed, reopened, case-renamed, adopted, taken-up, rebuilt, foreign,
 *         archived, verified, pruned (of an archive), retired, unretired (the
 *         folder went to Closed, and back): these five are no change of the case
 * then what the kind has: doc (number), from, to (paths from the case folder, from the cabinet
 * for what came from the office Inbox as from_office), sha256, size, type, date, why, …
 * Unknown kinds are kept and chained. The head (seq, size, hash) is kept in the private state:
 * edits, removals and truncation show against it.
 *
 * The writer is crash-safe without a lock on the share: lines are first committed to the outbox
 * (state.h), then appended, then the head is moved. After a crash the bytes behind the head must
 * be a prefix of what the outbox says, but for zeros where the disk did not have it yet (then it is
 * written again and the rest appended: a torn line of our own is completed), or are foreign, as
 * zeros are that no interrupted append can have left: they are never cut; a newline closes them, a
 * `foreign` line says so, and the case is marked as tampered with.
 *
 * A `foreign` line holds why, was, was_seq, was_size (the head), bytes (size of the file as it was
 * found), found (SHA-256 of all of it) and kept (how many of the lines to be written were there
 * already). Its prev is the hash of the line before it, whatever that is; its seq goes on from the
 * head's. So even what is broken cannot be changed again unseen. A person's answer is a `taken-up`
 * line behind it (`adopt`): what came before counts as known from then on. It holds bytes and found
 * (as above), so that it answers also for lines that were changed where no note tells of it. A
 * `rebuilt` line is the first after the private state was lost: the head starts anew with it.
 *
 * The journal is never opened through a link, and never written through a second name (hard link):
 * both could make it somebody's document.
 */
#ifndef ORGANIZER_RECORD_JOURNAL_H
#define ORGANIZER_RECORD_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/state.h"

struct error;
struct str;

#define JOURNAL_FOLDER   ".organizer"
#define JOURNAL_NAME     "journal.jsonl"
#define JOURNAL_LINE_MAX (1 << 20)

/* How the journal on disk stands against its head. */
enum journal_standing {
    JOURNAL_INTACT,   /* ends at the head (or is missing while the head is empty) */
    JOURNAL_TAIL_OWN, /* bytes behind the head are a prefix of the outbox's lines, or zeros for it */
    JOURNAL_FOREIGN,  /* other bytes behind the head */
    JOURNAL_SHORTER,  /* shorter than the head: cut, or restored from a backup */
    JOURNAL_CHANGED,  /* the head's last line is not there as it was */
    JOURNAL_MISSING,
};
const char *journal_standing_text(enum journal_standing s);

/* Starts a line body: `"at":"…","kind":"filed"`; the caller adds members with json_text() etc.
 * (base/json.h: a body starts like an object's inside, without braces). */
void journal_body(struct str *body, int64_t now_ns, const char *kind);
/* The full line for body at head (without newline). */
void journal_line(struct str *line, const struct journal_head *head, const char *body);
/* Appends n bodies behind head to the journal in the case folder case_fd, making .organizer/ and
 * the file when head->seq is 0 and neither is there, and moves *head. Idempotent: lines that are
 * on disk already are not written twice, and zeros count as ours in the place of the first `tried`
 * bodies, which a run before or a try that failed may have written. Writes, then fdatasync when
 * durable. *standing says what was found; for FOREIGN, SHORTER, CHANGED and MISSING the lines are
 * appended behind what is there, preceded by one `foreign` line that starts a new chain segment
 * (its prev is the hash of the last line found, "was" the head's hash), and the caller marks the
 * case. Returns 0 or -1. */
int journal_append(int case_fd, struct journal_head *head, const char *const *bodies, size_t n,
                   size_t tried, int64_t now_ns, bool durable, enum journal_standing *standing,
                   struct error *err);

/* Reads the journal line by line: parsed object (NULL for a line that is no JSON), the raw bytes,
 * line number from 1. Stops when fn returns non-zero and returns that; -1 on error. */
typedef int journal_fn(void *ctx, const json_t *line, const char *raw, size_t len, uint64_t number);
int journal_each(int case_fd, journal_fn *fn, void *ctx, struct error *err);
/* The "case" member of the first line, or "" : whose journal this is. */
int journal_case_id(int case_fd, char id[static CASE_ID_SIZE], struct error *err);
/* The head that the journal as it lies there would have: for taking up a case whose head was lost
 * or whose journal was restored. It ends with the last whole line; a torn one behind it is closed
 * by the next append. The head of an empty journal when there is none. Returns 0 or -1. */
int journal_last(int case_fd, struct journal_head *head, struct error *err);

/* Adds to the body of a `taken-up` line what is accepted by it: the journal as it is now. Nothing when
 * there is none. Returns 0 or -1. */
int journal_accept(int case_fd, struct str *body, struct error *err);

/* Checks the chain and the head. Each fault is one call of fault(): line number and what is
 * wrong, in plain words. Returns the number of faults, -1 when it cannot be read. Faults that were
 * noted (`foreign`) and answered by a person (`taken-up`) are none, as long as every byte is as it
 * was then. */
typedef void journal_fault(void *ctx, uint64_t line, const char *what);
int journal_check(int case_fd, const struct journal_head *head, journal_fault *fault, void *ctx,
                  enum journal_standing *standing, struct error *err);

/*
 * To look at a journal that another process or thread is writing, three steps in this order:
 *   1. journal_size()
 *   2. head and outbox of the case, as of one moment
 *   3. journal_stands() or journal_check_pending() with all three
 * Lines are in the outbox before they are in the file and leave it only when the head is behind
 * them: so all that the file held at step 1 is accounted for by step 2. What was written behind
 * that later is not looked at.
 */
struct journal_picture {
    int64_t size;              /* of step 1 */
    struct journal_head head;  /* of step 2, and */
    const char *const *bodies; /* lines of the outbox */
    size_t n;
};
/* Bytes of the journal as it is now, 0 when there is none; -1 with err. */
int64_t journal_size(int case_fd, struct error *err);
/* How the journal's end stands: one read, however long it is. Lines changed in its middle do not
 * show. Returns 0 or -1. */
int journal_stands(int case_fd, const struct journal_picture *p, enum journal_standing *standing,
                   struct error *err);
/* As journal_check(), where lines of the outbox may, whole or in part, stand behind the head. */
int journal_check_pending(int case_fd, const struct journal_picture *p, journal_fault *fault,
                          void *ctx, enum journal_standing *standing, struct error *err);
/* A line of this kind tells of a change of the case, not of its archives or of where it lies. */
bool journal_is_change(const char *kind);
/* The head as it was when the last change was written, up to which a snapshot takes the journal; all
 * zero but the same seq when there is none. *at_ns: when that was, 0 when the line does not say. Returns
 * 0 or -1. */
int journal_last_change(int case_fd, const struct journal_head *head, struct journal_head *cut,
                        int64_t *at_ns, struct error *err);
/* Whether all up to the head is as it was written, or was taken up; what is behind the head does
 * not count. 1 yes, 0 no, -1 with err. */
int journal_trusted(int case_fd, const struct journal_head *head, struct error *err);

#endif
