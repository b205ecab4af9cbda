/*
 * search: the catalogue of what documents are called and say, and the thread that keeps it.
 *
 * The catalogue (catalogue.h) is a database of its own in the private state. Nothing lives only
 * there: it follows the rows of the document table, and search_again() makes it anew. Its thread
 * has connections of its own, runs behind everything else (nice), and is never waited for but by
 * who asks for it (`sync`).
 *
 *   search_row()    a document's row was written: found by its name now, or not any more when the
 *                   document is gone; what it says is asked for with want() when it is not known
 *   search_text()   what a document says, as the readers told it
 *   search_again()  forgets all and begins anew: every document is wanted
 *
 * All calls are for the loop's thread and return at once. What a crash loses is found missing at
 * the next start, when the catalogue is compared with the document table, and wanted then.
 */
#ifndef ORGANIZER_SEARCH_SEARCH_H
#define ORGANIZER_SEARCH_SEARCH_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/digest.h"

struct content;
struct doc;
struct error;
struct search;
struct str;

struct search_options {
    const char *state_dir; /* the cabinet's private state; copied */
    /* Both are called on the loop's thread. want: the document is in the catalogue by its name
     * only; who knows how gives what it says with search_text(), now or later, also when that is
     * nothing. rested: nothing is under way any more. */
    void (*want)(void *ctx, const char *case_id, int64_t number);
    void (*rested)(void *ctx);
    void *ctx;
};

/* Starts the thread; the catalogue is opened, or made, and compared with the document table. A
 * catalogue that cannot be opened or is of another version is made anew. NULL with err. */
struct search *search_new(uv_loop_t *loop, const struct search_options *o, struct error *err);
/* The row of that document was written. */
void search_row(struct search *s, const char *case_id, int64_t number);
/* The document says this. digest: of the bytes it was read from; when the row has another one the
 * text is of yesterday and dropped. text: the file with all its text (text/text.h; what stands
 * there is checked), which is duplicated, so the caller closes its own; -1: none. content (copied;
 * its text_len tells how long the text is) may be NULL: nothing can be read there. */
void search_text(struct search *s, const char *case_id, int64_t number, const struct digest *digest,
                 const struct content *content, int text);
/* One of those wanted cannot be given now: it is wanted again at the next start. */
void search_unread(struct search *s);
/* Forgets all, and begins anew. */
void search_again(struct search *s);
/* What was given so far is in the catalogue when search_done() has reached this. */
uint64_t search_given(const struct search *s);
uint64_t search_done(struct search *s);
/* Texts are asked for, or will be, that were not given yet. */
bool search_lacks(struct search *s);
/* Somebody waits: what was given is written now, not with what comes next. */
void search_hurry(struct search *s);
/* Many rows are being written, and more urgent work waits for the processor: what is given lies for
 * so long, in milliseconds, or until somebody hurries. 0: it is worked on again. */
void search_rest(struct search *s, unsigned ms);
/* Members of a JSON object for `status`: documents, by_name_only (their text is not read yet),
 * waiting (jobs), trouble (the last error, when there was one). */
void search_status(struct search *s, struct str *out);
/* Ends the thread; what was given and is not written is found missing at the next start. NULL is
 * fine. The memory goes when the loop has run once more. */
void search_free(struct search *s);

#endif
