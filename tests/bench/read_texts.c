/*
 * read_texts: what the organizer's readers take to say what PDFs say.
 *
 *   read_texts PROGRAM FILE…
 *
 * Has PROGRAM (organizer-parsers) read all files, two at a time, as the organizer does, and prints
 * the seconds, how many were read to the end, the bytes of text, and the KiB of memory of the largest
 * reader.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "text/texts.h"

#define AHEAD 16 /* files open at once */

struct bench {
    uv_loop_t loop;
    struct texts *t;
    char **files;
    int len, next, open;
    unsigned read;
    uint64_t bytes;
};

struct one {
    struct bench *b;
    int fd;
};

static struct one ones[AHEAD];

static void more(struct bench *b);

static void on_answer(void *ctx, const struct content *c, int text)
{
    struct one *o = ctx;
    struct bench *b = o->b;

    (void)text;
    close(o->fd);
    o->b = NULL;
    b->open--;
    b->read += c->status == CONTENT_READ;
    b->bytes += c->text_len;
    more(b);
}

static void more(struct bench *b)
{
    for (int i = 0; i < AHEAD && b->next < b->len; i++) {
        if (ones[i].b)
            continue;
        ones[i] = (struct one){b, open(b->files[b->next++], O_RDONLY | O_CLOEXEC)};
        b->open++;
        texts_submit(b->t, ones[i].fd, KIND_PDF, false, on_answer, &ones[i]);
    }
}

int main(int argc, char **argv)
{
    struct bench b = {.files = argv + 2, .len = argc - 2};
    struct timespec from, to;
    struct rusage used = {0};

    if (argc < 3 || uv_loop_init(&b.loop) < 0)
        return 2;
    clock_gettime(CLOCK_MONOTONIC, &from);
    b.t = texts_new(&b.loop, &(struct texts_options){
                                 .exe = argv[1], .parsers = 2, .idle_ms = 60000, .stall_ms = 20000});
    more(&b);
    while (b.open > 0)
        uv_run(&b.loop, UV_RUN_ONCE);
    clock_gettime(CLOCK_MONOTONIC, &to);
    texts_free(b.t);
    uv_run(&b.loop, UV_RUN_DEFAULT);
    getrusage(RUSAGE_CHILDREN, &used);
    printf("%.6f %u %" PRIu64 " %ld\n",
           (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9, b.read,
           b.bytes, used.ru_maxrss);
    return 0;
}
