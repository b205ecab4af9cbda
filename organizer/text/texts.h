/*
 * texts: asks sandboxed parsers what a document says.
 *
 *   texts_new()     starts nothing yet; a nursery of parsers starts when needed and goes when idle
 *   texts_submit()  passes the descriptor to a parser that is forked for this document
 *   …answer         exactly once for every submit, from the event loop
 *   texts_free()    kills them; answers still due come as CONTENT_NONE
 *
 * What a parser says is a stranger's and is checked. One that dies, takes over two seconds of
 * processor time or 256 MiB, stalls, or answers nonsense spoils one document: CONTENT_BROKEN with
 * the reason. The document is as with examine/examiner.h: passed as a descriptor, which nobody
 * else holds any more when the answer comes. Only the loop's thread may call these.
 */
#ifndef ORGANIZER_TEXT_TEXTS_H
#define ORGANIZER_TEXT_TEXTS_H

#include <stdbool.h>
#include <uv.h>

#include "decide/content.h"
#include "examine/kind.h"

struct texts;
struct str;

/* c is borrowed, and so is fd: the file with all its text and nothing else, not checked yet
 * (text_view_open()), -1 when there is none.
 * CONTENT_NONE: no parser could be had, which is not the document's fault. */
typedef void texts_answer(void *ctx, const struct content *c, int fd);

struct texts_options {
    const char *exe;   /* the program organizer-parsers; NULL: the one that belongs to this one */
    unsigned parsers;  /* at most this many at once; at least 1 */
    unsigned idle_ms;  /* a nursery with nothing to do goes after this long */
    unsigned stall_ms; /* no answer for this long: the parser is killed */
    /* As examiner_options.around; may be NULL. */
    void (*around)(void *ctx, bool begin);
    void *around_ctx;
};

/* The options are copied. The program stays the same through an upgrade. Where there is none,
 * documents come back as CONTENT_NONE, and `status` says so. */
struct texts *texts_new(uv_loop_t *loop, const struct texts_options *o);
/* Documents of this kind can be read; others are not to be submitted. */
bool texts_knows(enum kind k);
/* urgent ones come before all others. fd stays the caller's, open until the answer. The answer
 * never comes from inside this call. */
void texts_submit(struct texts *t, int fd, enum kind kind, bool urgent, texts_answer *answer,
                  void *ctx);
/* Documents submitted and not answered. */
unsigned texts_pending(const struct texts *t);
/* Members of a JSON object for `status`. */
void texts_status(const struct texts *t, struct str *out);
/* Not from inside an answer. NULL is fine. The memory goes when the loop has run once more. */
void texts_free(struct texts *t);

#endif
