/*
 * content_row: what documents say, kept in the private state by the digest of their bytes, so that
 * no document is read twice, whatever it is called and wherever it lies.
 *
 * All of it can be made again by reading the documents. Rows of another CONTENT_VERSION are read
 * again; rows of bytes that no document has any more go with state_content_prune(). Text for the
 * search is not kept here.
 */
#ifndef ORGANIZER_RECORD_CONTENT_ROW_H
#define ORGANIZER_RECORD_CONTENT_ROW_H

#include "base/digest.h"
#include "decide/content.h"
#include "examine/kind.h"
#include "record/state.h"

struct str;

/* Rises when parsers read more, or otherwise, than before. */
#define CONTENT_VERSION 1

/* 1 found (c is the caller's to clear), 0 not read yet, -1 with err. */
int state_content_get(struct state *s, const struct digest *digest, struct content *c,
                      struct error *err);
/* Keeps it; what was kept of these bytes before is replaced. 0, or -1 with err. */
int state_content_put(struct state *s, const struct digest *digest, const struct content *c,
                      struct error *err);
/* Forgets what no document has. */
int state_content_prune(struct state *s, struct error *err);

/* The members of a JSON object: title, author, subject, sender, recipients, attachments,
 * message_id, mail_date, taken, created, pages, encrypted, macros, signed, scan, text_by_hook,
 * privileged, work_product, why; those that are known. */
void content_facts_json(struct str *out, const struct content *c);

/* What pages show. Owned strings, NULL when there is none; lists joined by "; ". */
struct content_facts {
    char *title, *author, *subject, *sender, *recipients, *attachments;
    char *why;      /* lang key: why not all could be read */
    unsigned pages, flags; /* flags: enum content_flag */
};

/* 1, 0, -1 as above. */
int state_content_facts(struct state *s, const struct digest *digest, struct content_facts *f,
                        struct error *err);
void content_facts_clear(struct content_facts *f);

/* It is a picture of text that no hook has read. */
bool content_wants_hook(const struct content *c);

/* Documents that are there and of whose bytes nothing is kept, or (scan) that they are a picture of
 * text which no hook has read, or that are doc.unread, among the `most` rows behind *after,
 * which moves on. Returns how many rows were looked at, -1 with err. */
typedef void state_unread_fn(void *ctx, const char *case_id, int64_t number, enum kind kind,
                             bool scan);
int state_each_unread(struct state *s, int64_t *after, unsigned most, state_unread_fn *fn, void *ctx,
                      struct error *err);
/* Mails with this Message-ID, of other bytes than `but` (may be zero): path inside their case, and
 * case id. Stops when fn returns non-zero and returns that; -1 with err. */
typedef int state_message_fn(void *ctx, const char *case_id, const char *path);
int state_each_message(struct state *s, const char *message_id, const struct digest *but,
                       state_message_fn *fn, void *ctx, struct error *err);

#endif
