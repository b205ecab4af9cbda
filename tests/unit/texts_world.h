/*
 * texts_world: documents read by the real program organizer-parsers, one after another.
 */
#ifndef TESTS_UNIT_TEXTS_WORLD_H
#define TESTS_UNIT_TEXTS_WORLD_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "base/alloc.h"
#include "documents.h"
#include "text/text.h"
#include "text/texts.h"

struct texts_world {
    uv_loop_t loop;
    struct texts *t;
    unsigned answers;
    struct content said; /* of the last document */
    struct str text;     /* all of it */
    bool is_text;        /* what was given as text is text */
};

static inline void texts_world_open(struct texts_world *w)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    AUTO_FREE char *exe = NULL;

    memset(w, 0, sizeof *w);
    self[n > 0 ? n : 0] = '\0';
    exe = xasprintf("%.*s/../organizer-parsers", (int)(strrchr(self, '/') - self), self);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    w->t = texts_new(&w->loop, &(struct texts_options){.exe = exe,
                                                       .parsers = 1,
                                                       .idle_ms = 60000,
                                                       .stall_ms = 20000});
}

static inline void texts_world_close(struct texts_world *w)
{
    texts_free(w->t);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    content_clear(&w->said);
    str_clear(&w->text);
}

static inline void texts_world_answer(void *ctx, const struct content *c, int fd)
{
    struct texts_world *w = ctx;
    struct text_view v;

    w->answers++;
    content_clear(&w->said);
    content_copy(&w->said, c);
    str_reset(&w->text);
    w->is_text = fd < 0 || text_view_open(&v, fd, c->text_len) == 0;
    if (fd >= 0 && w->is_text) {
        str_addn(&w->text, v.s, v.len);
        text_view_close(&v);
    }
}

/* Reads the open document, and closes it. */
static inline void texts_world_read_fd(struct texts_world *w, int fd, enum kind kind)
{
    unsigned before = w->answers;

    texts_submit(w->t, fd, kind, true, texts_world_answer, w);
    while (w->answers == before)
        uv_run(&w->loop, UV_RUN_ONCE);
    close(fd);
    assert_true(w->is_text);
}

static inline void texts_world_read(struct texts_world *w, enum kind kind, const void *p, size_t n)
{
    texts_world_read_fd(w, document_open(p, n), kind);
}

/* The line of the first pages that is this text; NULL when there is none. */
static inline const struct content_line *said_line(const struct texts_world *w, const char *text)
{
    for (size_t i = 0; i < w->said.lines_len; i++)
        if (strcmp(w->said.lines[i].text, text) == 0)
            return &w->said.lines[i];
    return NULL;
}

#endif
