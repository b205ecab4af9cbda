#include "text/paper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "text/answer.h"
#include "text/text.h"

#define PAGES_MAX  1000000
#define LINES_LOOK 64                  /* lines between two looks at the clock */
#define CPU_MS     1500                /* then it is told that there is more */
#define BUFFER   ((size_t)64 << 10)
#define LINE_MAX ((size_t)256 << 10) /* bytes; longer ones go on in the next */
#define WORD_MAX ((size_t)1 << 10)   /* bytes; longer ones are parted with their line */

void paper_open(struct paper *p, int out)
{
    memset(p, 0, sizeof *p);
    p->out = out;
    p->page = 1;
    p->content.status = CONTENT_READ;
}

/* Spaces of all widths, controls, and what only moves the pen. */
static bool is_space(int32_t c)
{
    return c <= ' ' || (c >= 0x7f && c <= 0xa0) || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Marks that nobody sees. */
static bool is_nothing(int32_t c)
{
    return c == 0xad || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c & 0xfffe) == 0xfffe;
}

/* fi and its like are two letters to who searches. */
static const char *ligature(int32_t c)
{
    static const char *const letters[] = {"ff", "fi", "fl", "ffi", "ffl", "st", "st"};

    return c >= 0xfb00 && c <= 0xfb06 ? letters[c - 0xfb00] : NULL;
}

/* Appends one character to a text whose white space is folded. */
static void add_char(struct str *to, bool *gap, int32_t c)
{
    if (c < 0)
        c = 0xfffd;
    if (is_nothing(c))
        return;
    if (is_space(c)) {
        *gap = true;
        return;
    }
    if (*gap && to->len > 0)
        str_addc(to, ' ');
    *gap = false;
    if (ligature(c))
        str_add(to, ligature(c));
    else
        utf8_put(to, c);
}

void paper_add(struct paper *p, const char *s, size_t n)
{
    const char *end = s + n;

    while (s < end && !p->full) {
        /* Parted between words where that can be. */
        if (p->line.len >= LINE_MAX && (p->gap || p->line.len >= LINE_MAX + WORD_MAX))
            paper_end(p, (struct look){0});
        add_char(&p->line, &p->gap, utf8_next(&s, end));
    }
}

static void flush(struct paper *p)
{
    size_t done = 0;

    while (done < p->buffer.len) {
        ssize_t r = pwrite(p->out, p->buffer.s + done, p->buffer.len - done,
                           (off_t)(p->written + done));

        if (r <= 0) {
            p->full = true;
            break;
        }
        done += (size_t)r;
    }
    p->written += done;
    str_reset(&p->buffer);
}

bool paper_is_late(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000 > CPU_MS;
}

static void write_line(struct paper *p)
{
    size_t room = TEXT_MAX - (size_t)p->written - p->buffer.len;

    if (++p->lines % LINES_LOOK == 0 && paper_is_late()) {
        p->full = true;
        paper_status(p, CONTENT_PART, "content.part.slow");
        return;
    }
    if (p->line.len + 1 > room) {
        p->full = true;
        paper_status(p, CONTENT_PART, "content.part.size");
        return;
    }
    str_addn(&p->buffer, p->line.s, p->line.len);
    str_addc(&p->buffer, '\n');
    if (p->buffer.len >= BUFFER)
        flush(p);
}

static void keep_line(struct paper *p, struct look look)
{
    struct content *c = &p->content;
    size_t n = utf8_cut(p->line.s, p->line.len, ANSWER_LINE);

    if (p->aside || p->page > CONTENT_PAGES || c->lines_len == CONTENT_LINES ||
        p->first + n > CONTENT_FIRST)
        return;

    struct content_line l = {.text = xmemdup0(p->line.s, n),
                             .page = p->page,
                             .percent = look.size,
                             .centred = look.centred,
                             .bold = look.bold,
                             .heading = look.heading};

    p->first += n;
    content_add_line(c, &l);
}

void paper_end(struct paper *p, struct look look)
{
    if (p->line.len > 0 && !p->full) {
        keep_line(p, look);
        write_line(p);
    }
    str_reset(&p->line);
    p->gap = false;
}

void paper_attachments(struct paper *p)
{
    p->aside = true;
    for (char **a = p->content.attachments; a && *a; a++) {
        paper_add(p, *a, strlen(*a));
        paper_end(p, (struct look){0});
    }
}

void paper_page(struct paper *p)
{
    p->page++;
}

bool paper_full(const struct paper *p)
{
    return p->full;
}

/* s with its white space folded. */
static char *folded(const char *s, size_t n)
{
    struct str out = STR_INIT;
    bool gap = false;

    for (const char *end = s + n; s < end && out.len < ANSWER_TEXT;)
        add_char(&out, &gap, utf8_next(&s, end));
    str_cut(&out, utf8_cut(str_c(&out), out.len, ANSWER_TEXT));
    return str_detach(&out);
}

void paper_set(char **field, const char *s, size_t n)
{
    AUTO_FREE char *text = s ? folded(s, n) : NULL;

    if (text && *text)
        content_set(field, text);
}

void paper_list(char ***list, size_t most, const char *s, size_t n)
{
    AUTO_FREE char *text = s ? folded(s, n) : NULL;
    size_t len = 0;

    while (*list && (*list)[len])
        len++;
    if (text && *text && len < most)
        content_add(list, text);
}

void paper_status(struct paper *p, enum content_status status, const char *why)
{
    if (status <= p->content.status)
        return;
    p->content.status = status;
    content_set(&p->content.why, why);
}

struct date paper_date(const char *s)
{
    AUTO_FREE char *day = s && strlen(s) >= 10 ? xmemdup0(s, 10) : NULL;

    return day ? date_parse_iso(day) : DATE_NONE;
}

static int by_size(const void *a, const void *b)
{
    const struct content_line *x = *(struct content_line *const *)a;
    const struct content_line *y = *(struct content_line *const *)b;

    return (x->percent > y->percent) - (x->percent < y->percent);
}

/* The size that most of the text has. */
static unsigned usual_size(const struct content *c)
{
    const struct content_line **by = xcalloc(c->lines_len + 1, sizeof *by);
    size_t best_sum = 0, sum = 0;
    unsigned best = 0;

    for (size_t i = 0; i < c->lines_len; i++)
        by[i] = &c->lines[i];
    qsort(by, c->lines_len, sizeof *by, by_size);
    for (size_t i = 0; i < c->lines_len; i++) {
        sum = i > 0 && by[i]->percent == by[i - 1]->percent ? sum : 0;
        sum += strlen(by[i]->text);
        if (sum > best_sum && by[i]->percent > 0) {
            best_sum = sum;
            best = by[i]->percent;
        }
    }
    free(by);
    return best;
}

static void sizes_to_percent(struct content *c)
{
    unsigned usual = usual_size(c);

    for (size_t i = 0; i < c->lines_len; i++) {
        uint64_t percent = usual ? (uint64_t)c->lines[i].percent * 100 / usual : 0;

        c->lines[i].percent = percent > 10000 ? 10000 : (unsigned)percent;
    }
}

int paper_close(struct paper *p)
{
    struct str record = STR_INIT;
    uint64_t len = 0;

    paper_end(p, (struct look){0});
    flush(p);
    p->content.text_len = p->written;
    if (p->content.pages > PAGES_MAX)
        p->content.pages = PAGES_MAX;
    sizes_to_percent(&p->content);
    str_addn(&record, &len, sizeof len);
    answer_write(&record, &p->content);
    len = record.len - sizeof len;
    memcpy(record.s, &len, sizeof len);
    if (record.len > TEXT_RECORD) {
        errno = EMSGSIZE;
        return -1;
    }
    return pwrite(p->out, record.s, record.len, (off_t)TEXT_MAX) == (ssize_t)record.len ? 0 : -1;
}
