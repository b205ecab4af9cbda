#include "text/texts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "examine/lane.h"
#include "examine/sandbox.h"
#include "text/answer.h"
#include "text/text.h"

#define LANES_MAX     8
#define AHEAD         2     /* documents that a nursery has at once: the next one lies ready */
#define START_MS      10000 /* to come up on a loaded machine */
#define RETRY_MS      20    /* when the kernel has no room just now */
#define NO_ROOM_MS    2000  /* it had none for so long: documents are given back */
#define STARTS_FAILED 3     /* in a row, until documents are given back */

/* Those that text/parse.c has a parser for; a test keeps both equal. */
static const enum kind texts_kinds[] = {
    KIND_PDF, KIND_DOCX, KIND_DOCM, KIND_DOTX, KIND_XLSX, KIND_XLSM, KIND_XLSB, KIND_PPTX,
    KIND_PPTM, KIND_ODT, KIND_ODS, KIND_ODP, KIND_DOC, KIND_XLS, KIND_PPT, KIND_OLE, KIND_EPUB, KIND_RTF,
    KIND_HTML, KIND_XML, KIND_TEXT, KIND_CSV, KIND_MARKDOWN, KIND_JSON, KIND_ICS, KIND_VCF,
    KIND_EML, KIND_MBOX, KIND_MHT, KIND_MSG, KIND_P7M, KIND_PGP, KIND_JPEG, KIND_PNG, KIND_TIFF,
    KIND_GIF, KIND_BMP, KIND_WEBP, KIND_HEIC,
};

/* One document. */
struct reading {
    struct part part; /* first: a lane knows it by this */
    struct reading *next;
    texts_answer *answer;
    void *ctx;
    struct content content; /* when it is due */
    int text;               /* then: the file, or -1 */
};

struct readings {
    struct reading *first, *last;
};

struct texts {
    uv_loop_t *loop;
    char *exe;
    int program; /* open, or -1 */
    struct wire_setup setup;
    struct texts_options o;
    struct lane *lanes[LANES_MAX];
    struct lane *dying;
    struct readings urgent, others, due;
    unsigned pending, tickets, lacks, deaths, failed_starts;
    uint64_t read; /* documents */
    uv_timer_t timer;
    uint64_t timer_at; /* loop time, 0: not running */
    uint64_t no_room;  /* loop time since when the kernel has none; 0: it has */
    uv_idle_t later;
    bool freed;
    unsigned handles;
};

static void add(struct readings *q, struct reading *r)
{
    r->next = NULL;
    if (q->last)
        q->last->next = r;
    else
        q->first = r;
    q->last = r;
}

static void add_front(struct readings *q, struct reading *r)
{
    r->next = q->first;
    q->first = r;
    if (!q->last)
        q->last = r;
}

static struct reading *take(struct readings *q)
{
    struct reading *r = q->first;

    if (r) {
        q->first = r->next;
        if (!q->first)
            q->last = NULL;
    }
    return r;
}

static void settle(struct texts *t, struct reading *r, enum content_status status, const char *why)
{
    r->content.status = status;
    content_set(&r->content.why, why);
    add(&t->due, r);
}

static void give_back(struct texts *t, const char *why)
{
    struct reading *r;

    while ((r = take(&t->urgent)) || (r = take(&t->others)))
        settle(t, r, CONTENT_NONE, why);
}

/* --- time --- */

static void on_timer(uv_timer_t *h);

static void wake_by(struct texts *t, uint64_t at)
{
    uint64_t now = uv_now(t->loop);

    if (t->timer_at && t->timer_at <= at)
        return;
    t->timer_at = at > now ? at : now;
    uv_timer_start(&t->timer, on_timer, t->timer_at - now, 0);
    if (t->timer_at == 0)
        t->timer_at = 1;
}

static void give_answers(struct texts *t)
{
    struct reading *r;
    bool some = t->due.first != NULL;

    if (some && t->o.around)
        t->o.around(t->o.around_ctx, true);
    while ((r = take(&t->due))) {
        t->pending--;
        r->answer(r->ctx, &r->content, r->text);
        if (r->text >= 0)
            close(r->text);
        content_clear(&r->content);
        free(r);
    }
    if (some && t->o.around)
        t->o.around(t->o.around_ctx, false);
    if (some && t->pending == 0 && !t->freed)
        wake_by(t, uv_now(t->loop) + t->o.idle_ms);
}

/* --- what a parser said --- */

/* Closes the file for writing, whoever may still have it; reads the record, and leaves the text
 * alone in the file. */
static bool read_record(struct reading *r)
{
    int fd = r->part.out;
    uint64_t len = 0;
    bool fine = false;

    if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0 &&
        pread(fd, &len, sizeof len, (off_t)TEXT_MAX) == sizeof len && len > 0 &&
        len <= TEXT_RECORD - sizeof len) {
        char *room = xmalloc(len);

        fine = pread(fd, room, len, (off_t)(TEXT_MAX + sizeof len)) == (ssize_t)len &&
               answer_read(&r->content, room, len) == 0 && r->content.text_len <= TEXT_MAX &&
               ftruncate(fd, (off_t)r->content.text_len) == 0;
        free(room);
    }
    if (!fine)
        content_clear(&r->content);
    return fine;
}

static void take_answer(struct texts *t, struct reading *r, enum wire_end end)
{
    t->read++;
    if (end == WIRE_ENDED && read_record(r)) {
        r->text = r->part.out;
        r->part.out = -1;
        add(&t->due, r);
        return;
    }
    t->deaths++;
    settle(t, r, CONTENT_BROKEN,
           end == WIRE_OVERTIME ? "content.broken.slow"
           : end == WIRE_DIED   ? "content.broken.died"
                                : "content.broken.nonsense");
}

/* --- lanes --- */

static void dispatch(struct texts *t);

static struct reading *reading_of(struct part *p)
{
    return (struct reading *)p;
}

static void close_out(struct reading *r)
{
    if (r->part.out >= 0)
        close(r->part.out);
    r->part.out = -1;
}

static void lane_answered(void *ctx, struct part *p, const struct wire_answer *a)
{
    struct texts *t = ctx;
    struct reading *r = reading_of(p);

    if (a->what == WIRE_PARSED) {
        take_answer(t, r, (enum wire_end)a->number);
        r->content.cpu_ms = a->cpu_ms;
        r->content.memory = a->bytes;
    } else {
        settle(t, r, CONTENT_NONE, "content.no-reader");
    }
    close_out(r);
}

static void lane_greeted(void *ctx, struct lane *l, unsigned lacks)
{
    struct texts *t = ctx;

    (void)l;
    t->lacks |= lacks;
    t->failed_starts = 0;
}

static void retire(struct texts *t, struct lane *l)
{
    for (unsigned i = 0; i < t->o.parsers; i++)
        if (t->lanes[i] == l)
            t->lanes[i] = NULL;
    l->next = t->dying;
    t->dying = l;
    lane_end(l, NULL);
}

/* The document in hand is spoiled, unless its nursery never came up. */
static void lane_lost(struct texts *t, struct lane *l, const char *why)
{
    struct part *p, *back[LANE_DEPTH];
    unsigned n = 0;

    t->deaths++;
    if (l->greeted && (p = lane_take(l))) {
        close_out(reading_of(p));
        settle(t, reading_of(p), CONTENT_BROKEN, why);
    }
    while ((p = lane_take(l)))
        back[n++] = p;
    while (n > 0) {
        struct reading *r = reading_of(back[--n]);

        close_out(r);
        add_front(&t->urgent, r);
    }
    if (!l->greeted && ++t->failed_starts >= STARTS_FAILED) {
        t->failed_starts = STARTS_FAILED - 1;
        give_back(t, "content.no-reader");
    }
    retire(t, l);
}

static void lane_ended(void *ctx, struct lane *l, const char *why)
{
    (void)why;
    lane_lost(ctx, l, "content.broken.died");
}

static void lane_settled(void *ctx)
{
    struct texts *t = ctx;

    dispatch(t);
    give_answers(t);
}

static void lane_gone(void *ctx, struct lane *l)
{
    struct texts *t = ctx;

    for (struct lane **at = &t->dying; *at; at = &(*at)->next)
        if (*at == l) {
            *at = l->next;
            break;
        }
    if (--t->handles == 0 && t->freed)
        free(t);
}

static const struct lane_events events = {lane_answered, lane_greeted, lane_ended, lane_settled,
                                          lane_gone};

/* The lane with the least to do, a new one when all have something; NULL: wait, or all was given
 * back. */
static struct lane *pick(struct texts *t)
{
    struct lane *best = NULL;
    unsigned place = t->o.parsers;

    for (unsigned i = t->o.parsers; i-- > 0;) {
        if (!t->lanes[i])
            place = i;
        else if (!best || t->lanes[i]->len < best->len)
            best = t->lanes[i];
    }
    if ((best && best->len == 0) || place == t->o.parsers)
        return best && best->len < AHEAD ? best : NULL;
    t->lanes[place] = lane_start(t->loop, LANE_PARSERS, t->exe, &t->setup, &events, t);
    if (t->lanes[place]) {
        t->handles++;
        wake_by(t, uv_now(t->loop) + (t->o.stall_ms > START_MS ? t->o.stall_ms : START_MS));
        return t->lanes[place];
    }
    if (!best)
        give_back(t, "content.no-reader");
    return best && best->len < AHEAD ? best : NULL;
}

/* For the kernel to have room; the office is not to wait for that without end. */
static bool may_wait(struct texts *t)
{
    uint64_t now = uv_now(t->loop);

    if (t->no_room == 0)
        t->no_room = now > 0 ? now : 1;
    return now - t->no_room < NO_ROOM_MS;
}

/* False: not now. */
static bool send_first(struct texts *t, struct lane *l, struct readings *q)
{
    struct reading *r = q->first;
    int error;

    r->part.out = text_file_new();
    error = r->part.out < 0 ? errno : lane_send(l, &r->part);
    if (error == 0) {
        take(q);
        t->no_room = 0;
        wake_by(t, uv_now(t->loop) + t->o.stall_ms);
        return true;
    }
    close_out(r);
    if (error == EPIPE || error == ECONNRESET || error == ENOTCONN) {
        lane_drain(l);
        if (!l->ended)
            lane_lost(t, l, "content.broken.died");
        return true;
    }
    if (error == EBADF || !may_wait(t)) {
        take(q);
        settle(t, r, CONTENT_NONE, "content.no-reader");
        return true;
    }
    wake_by(t, uv_now(t->loop) + RETRY_MS);
    return false;
}

static void dispatch(struct texts *t)
{
    if (!t->urgent.first && !t->others.first)
        t->no_room = 0; /* nobody waits for it: that was then */
    while (t->urgent.first || t->others.first) {
        struct lane *l = pick(t);
        struct readings *q = t->urgent.first ? &t->urgent : &t->others;

        if (!l || !q->first || !send_first(t, l, q))
            return;
    }
}

/* Ends the lane when its time is up, else sees to it that the timer rings then. */
static void check(struct texts *t, struct lane *l)
{
    bool blame = l->len > 0 || !l->greeted;
    unsigned start = t->o.stall_ms > START_MS ? t->o.stall_ms : START_MS;
    unsigned ms = !l->greeted ? start : blame ? t->o.stall_ms : t->o.idle_ms;

    if (uv_now(t->loop) >= l->since + ms && blame) {
        lane_drain(l); /* it may have answered while we were busy ourselves */
        if (l->ended)
            return;
    }
    if (uv_now(t->loop) < l->since + ms)
        wake_by(t, l->since + ms);
    else if (blame)
        lane_lost(t, l, "content.broken.slow");
    else
        retire(t, l);
}

static void on_timer(uv_timer_t *h)
{
    struct texts *t = h->data;

    t->timer_at = 0;
    for (unsigned i = 0; i < t->o.parsers; i++)
        if (t->lanes[i])
            check(t, t->lanes[i]);
    dispatch(t);
    give_answers(t);
}

static void on_later(uv_idle_t *h)
{
    uv_idle_stop(h);
    give_answers(h->data);
}

/* --- the interface --- */

/* Beside this program. */
static int open_program(const char *exe)
{
    char self[4096];
    ssize_t n = exe ? 0 : readlink("/proc/self/exe", self, sizeof self - 1);
    AUTO_FREE char *path = NULL;
    const char *slash;

    if (exe)
        return open(exe, O_PATH | O_CLOEXEC);
    self[n > 0 ? n : 0] = '\0';
    slash = strrchr(self, '/');
    path = slash ? xasprintf("%.*s/organizer-parsers", (int)(slash - self), self) : NULL;
    return path ? open(path, O_PATH | O_CLOEXEC) : -1;
}

struct texts *texts_new(uv_loop_t *loop, const struct texts_options *o)
{
    struct texts *t = xcalloc(1, sizeof *t);

    t->loop = loop;
    t->o = *o;
    t->program = open_program(o->exe);
    /* Not /proc/self: it is looked up by the child, which has closed it by then. */
    t->exe = xasprintf("/proc/%d/fd/%d", (int)getpid(), t->program);
    t->o.exe = NULL;
    t->o.parsers = o->parsers < 1 ? 1 : o->parsers > LANES_MAX ? LANES_MAX : o->parsers;
    t->setup = (struct wire_setup){.what = WIRE_SETUP, .version = WIRE_VERSION};
    uv_timer_init(loop, &t->timer);
    uv_idle_init(loop, &t->later);
    t->timer.data = t->later.data = t;
    t->handles = 2;
    return t;
}

bool texts_knows(enum kind k)
{
    for (size_t i = 0; i < sizeof texts_kinds / sizeof texts_kinds[0]; i++)
        if (texts_kinds[i] == k)
            return true;
    return false;
}

void texts_submit(struct texts *t, int fd, enum kind kind, bool urgent, texts_answer *answer,
                  void *ctx)
{
    struct reading *r = xcalloc(1, sizeof *r);

    r->part = (struct part){.fd = fd, .out = -1, .kind = kind, .ticket = ++t->tickets};
    r->text = -1;
    r->answer = answer;
    r->ctx = ctx;
    t->pending++;
    add(urgent ? &t->urgent : &t->others, r);
    if (t->freed)
        give_back(t, "content.no-reader");
    else
        dispatch(t);
    if (t->due.first && !t->freed)
        uv_idle_start(&t->later, on_later);
}

unsigned texts_pending(const struct texts *t)
{
    return t->pending;
}

void texts_status(const struct texts *t, struct str *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < t->o.parsers; i++)
        n += t->lanes[i] != NULL;
    json_num(out, "parsers", n);
    json_num(out, "texts_pending", t->pending);
    json_num(out, "texts_read", (int64_t)t->read);
    json_num(out, "parser_deaths", t->deaths);
    json_key(out, "parsers_lack");
    str_addc(out, '[');
    for (unsigned bit = 1; bit <= LACKS_ALL; bit <<= 1)
        if (t->lacks & bit) {
            json_comma(out);
            json_quote(out, sandbox_lack_name(bit));
        }
    str_addc(out, ']');
    if (t->program < 0)
        json_text(out, "parsers_missing", "organizer-parsers is not beside organizer");
}

static void on_handle_closed(uv_handle_t *h)
{
    struct texts *t = h->data;

    if (--t->handles == 0)
        free(t);
}

void texts_free(struct texts *t)
{
    struct part *p;

    if (!t)
        return;
    t->freed = true;
    for (unsigned i = 0; i < t->o.parsers; i++) {
        struct lane *l = t->lanes[i];

        while (l && (p = lane_take(l))) {
            close_out(reading_of(p));
            add(&t->others, reading_of(p));
        }
        if (l)
            retire(t, l);
    }
    for (struct lane *l = t->dying; l; l = l->next)
        lane_finish(l, 200);
    give_back(t, "content.no-reader");
    give_answers(t);
    free(t->exe);
    t->exe = NULL;
    if (t->program >= 0)
        close(t->program);
    uv_close((uv_handle_t *)&t->timer, on_handle_closed);
    uv_close((uv_handle_t *)&t->later, on_handle_closed);
}
