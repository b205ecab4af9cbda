/*
 * The catalogue's thread. Jobs come in order through a queue; a batch of them is one transaction,
 * which stays open for a moment while more comes, because the full text index is the smaller and
 * the faster the larger its batches are.
 */
#include "search/search.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "base/table.h"
#include "decide/content.h"
#include "record/state.h"
#include "search/catalogue.h"
#include "search/entry.h"
#include "text/text.h"

#define BATCH_JOBS  2000
#define BATCH_BYTES (UINT64_C(64) << 20) /* of text */
#define LINGER_NS   (300 * NS_PER_MS)    /* a batch stays open so long for what comes next */
#define QUEUE_BYTES (UINT64_C(96) << 20) /* of text that waits; more is asked for again later */
#define QUEUE_JOBS  8000                 /* with a text: each holds a descriptor */
#define WANTED_MAX  256                  /* texts asked for and not given */
#define WANTED_NS   (60 * NS_PER_S)      /* who does not give in this time is not waited for */
#define MERGE_NS    (2 * NS_PER_S)       /* when nothing came for so long, parts of the index are merged */
#define TIDY_AFTER  500                  /* removed entries */
#define NICE        10

enum job_kind { JOB_ROW, JOB_TEXT, JOB_UNREAD, JOB_AGAIN };

struct job {
    enum job_kind kind;
    char case_id[CASE_ID_SIZE];
    int64_t number;
    struct digest digest;         /* TEXT */
    int text;                     /* TEXT: a descriptor, or -1 */
    uint64_t bytes;               /* TEXT */
    struct catalogue_entry entry; /* TEXT: what is found beside the text */
    struct job *next;
};

/* A document by case and number. */
struct which {
    char case_id[CASE_ID_SIZE];
    int64_t number;
};

struct whiches {
    struct which *list;
    size_t len, cap;
};

/* What the thread alone uses. */
struct keeper {
    struct state *state;
    struct catalogue *catalogue;
    uint64_t jobs, bytes;   /* of the open batch */
    bool open;              /* a transaction is */
    int64_t since;          /* ticks of the batch's last job */
    struct whiches gone;    /* to be removed when there is time: their text may be taken over */
    struct whiches lacking; /* without text; asked for when nothing else is to be done */
    size_t asked;           /* of lacking, those before are asked for */
    int64_t asked_at;       /* ticks */
    bool asking;            /* it was quiet once since something was lacking: they are asked for */
    unsigned outstanding;   /* asked for and not given */
    uint64_t removed;       /* since the last tidying */
    bool parts;             /* there may be some to merge */
};

struct search {
    uv_async_t async;
    pthread_t thread;
    struct search_options o;
    char *dir;
    struct keeper k; /* the thread's */
    uint64_t given;  /* the loop's */
    /* Shared, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *first, **last;
    size_t queued, texts;
    uint64_t queued_bytes;
    uint64_t done;
    bool stop, hurry, rested;
    int64_t rests; /* ticks until which jobs lie; 0: they do not */
    struct whiches wants; /* for the loop */
    size_t lacks;         /* texts that are asked for, or will be */
    int64_t documents, by_name;
    char trouble[400];
};

static void job_free(struct job *j)
{
    if (j->text >= 0)
        close(j->text);
    catalogue_entry_clear(&j->entry);
    free(j);
}

static void whiches_add(struct whiches *w, const char *case_id, int64_t number)
{
    GROW(w->list, w->len, w->cap);
    snprintf(w->list[w->len].case_id, CASE_ID_SIZE, "%s", case_id);
    w->list[w->len++].number = number;
}

static void whiches_clear(struct whiches *w)
{
    free(w->list);
    *w = (struct whiches){0};
}

/* ---- the thread: entries ------------------------------------------------------------------------
 */

/* The row, when the document is there. 1, 0, -1. */
static int row_of(struct keeper *k, const char *case_id, int64_t number, struct doc *row,
                  struct error *err)
{
    int rc = state_doc_by_number(k->state, case_id, number, row, err);

    if (rc > 0 && row->state == DOC_GONE) {
        doc_clear(row);
        return 0;
    }
    return rc;
}

/* The entry follows its row: name, and whether the text is of these bytes. */
static int follow(struct keeper *k, const struct doc *row, struct error *err)
{
    AUTO_FREE char *name = entry_name(row);
    struct catalogue_entry e;
    int rc = catalogue_get(k->catalogue, row->case_id, row->number, &e, err);
    bool told = rc > 0 && !digest_is_zero(&e.digest) && digest_equal(&e.digest, &row->digest);
    bool same = rc > 0 && e.name && strcmp(e.name, name) == 0;

    if (rc >= 0 && told && !same)
        rc = catalogue_rename(k->catalogue, row->case_id, row->number, name, err);
    else if (rc >= 0 && !told)
        rc = catalogue_take_over(k->catalogue, row->case_id, row->number, name, &row->digest, err);
    if (rc == 0 && !told && !(same && digest_is_zero(&e.digest))) {
        struct catalogue_entry fresh = {.number = row->number, .name = name};

        memcpy(fresh.case_id, row->case_id, CASE_ID_SIZE);
        rc = catalogue_put(k->catalogue, &fresh, NULL, 0, err);
    }
    if (rc == 0 && !told && !digest_is_zero(&row->digest))
        whiches_add(&k->lacking, row->case_id, row->number);
    catalogue_entry_clear(&e);
    return rc < 0 ? -1 : 0;
}

static int do_row(struct keeper *k, const char *case_id, int64_t number, struct error *err)
{
    struct doc row = {0};
    int rc = row_of(k, case_id, number, &row, err);

    if (rc == 0)
        whiches_add(&k->gone, case_id, number);
    else if (rc > 0)
        rc = follow(k, &row, err);
    doc_clear(&row);
    return rc < 0 ? -1 : 0;
}

/* One of those asked for came, or will not. */
static void given(struct keeper *k)
{
    if (k->outstanding > 0)
        k->outstanding--;
}

static int do_text(struct keeper *k, struct job *j, struct error *err)
{
    struct doc row = {0};
    int rc = row_of(k, j->case_id, j->number, &row, err);
    struct text_view text = {.s = ""};

    given(k);
    /* Read from other bytes than those that are there now: the newer text comes, too. */
    if (rc > 0 && digest_equal(&row.digest, &j->digest)) {
        /* A text that is none is left out: its document is found by the rest. */
        if (j->text >= 0)
            (void)text_view_open(&text, j->text, j->bytes);
        j->entry.number = j->number;
        j->entry.digest = j->digest;
        memcpy(j->entry.case_id, j->case_id, CASE_ID_SIZE);
        j->entry.name = entry_name(&row);
        rc = catalogue_put(k->catalogue, &j->entry, text.s, text.len, err);
        k->bytes += text.len;
        text_view_close(&text);
    }
    doc_clear(&row);
    return rc < 0 ? -1 : 0;
}

/* ---- the thread: the whole ----------------------------------------------------------------------
 */

struct comparing {
    struct keeper *k;
    struct error *err;
};

static int follow_row(void *ctx, const struct doc *row)
{
    struct comparing *c = ctx;

    return follow(c->k, row, c->err);
}

static int look_for_row(void *ctx, const struct catalogue_entry *e)
{
    struct comparing *c = ctx;
    struct doc row = {0};
    int rc = row_of(c->k, e->case_id, e->number, &row, c->err);

    if (rc == 0)
        whiches_add(&c->k->gone, e->case_id, e->number);
    doc_clear(&row);
    return rc < 0 ? -1 : 0;
}

/* Every row has its entry, every entry its row. */
static int compare(struct keeper *k, struct error *err)
{
    struct comparing c = {k, err};

    whiches_clear(&k->lacking);
    k->asked = k->outstanding = 0;
    if (state_each_doc(k->state, NULL, false, follow_row, &c, err) != 0)
        return -1;
    return catalogue_each(k->catalogue, look_for_row, &c, err) != 0 ? -1 : 0;
}

static int begin(struct keeper *k, struct error *err)
{
    if (k->open)
        return 0;
    if (catalogue_begin(k->catalogue, err) < 0)
        return -1;
    k->open = true;
    return 0;
}

static int end(struct keeper *k, struct error *err)
{
    if (!k->open)
        return 0;
    k->open = false;
    return catalogue_commit(k->catalogue, err);
}

/* A catalogue, and all of it that can be known without reading documents. */
static int reopen(struct search *s, bool anew, struct error *err)
{
    struct keeper *k = &s->k;

    if (!k->state && !(k->state = state_open(s->dir, true, err)))
        return -1;
    if (k->open)
        catalogue_rollback(k->catalogue);
    k->open = false;
    catalogue_close(k->catalogue);
    if (anew)
        catalogue_delete(s->dir);
    k->catalogue = catalogue_open(s->dir, false, err);
    if (!k->catalogue || begin(k, err) < 0 || compare(k, err) < 0)
        return -1;
    return end(k, err);
}

static int remove_gone(struct keeper *k, struct error *err)
{
    if (k->gone.len == 0)
        return 0;
    if (begin(k, err) < 0)
        return -1;
    for (size_t i = 0; i < k->gone.len; i++) {
        const struct which *w = &k->gone.list[i];
        struct doc row = {0};
        int rc = row_of(k, w->case_id, w->number, &row, err);

        /* It may have come back. */
        if (rc == 0)
            rc = catalogue_remove(k->catalogue, w->case_id, w->number, err);
        doc_clear(&row);
        if (rc < 0)
            return -1;
    }
    k->removed += k->gone.len;
    whiches_clear(&k->gone);
    if (end(k, err) < 0)
        return -1;
    if (k->removed < TIDY_AFTER)
        return 0;
    k->removed = 0;
    return catalogue_tidy(k->catalogue, err);
}

/* ---- the thread: its loop -----------------------------------------------------------------------
 */

static void tell_loop(struct search *s)
{
    uv_async_send(&s->async);
}

/* Something failed: it is told, and the catalogue made anew when it is damaged. */
static void trouble(struct search *s, struct error *err)
{
    struct error again = ERROR_INIT;

    pthread_mutex_lock(&s->lock);
    snprintf(s->trouble, sizeof s->trouble, "%s", error_text(err));
    pthread_mutex_unlock(&s->lock);
    (void)reopen(s, err->number == EBADMSG, &again);
}

static void run_job(struct search *s, struct job *j)
{
    struct keeper *k = &s->k;
    struct error err = ERROR_INIT;
    int rc = 0;

    if (!k->catalogue || j->kind == JOB_AGAIN)
        rc = reopen(s, j->kind == JOB_AGAIN, &err);
    else if (begin(k, &err) < 0)
        rc = -1;
    else if (j->kind == JOB_ROW)
        rc = do_row(k, j->case_id, j->number, &err);
    else if (j->kind == JOB_UNREAD)
        given(k);
    else
        rc = do_text(k, j, &err);
    if (rc < 0)
        trouble(s, &err);
    k->jobs++;
    k->since = env_ticks();
}

/* Under the lock. */
static void count_lacks(struct search *s)
{
    s->lacks = s->k.lacking.len - s->k.asked + s->k.outstanding;
    s->rested = true;
}

/* The texts that are still lacking, a few at a time. Whether there were any to ask for. */
static bool ask(struct search *s)
{
    struct keeper *k = &s->k;
    struct error err = ERROR_INIT;
    bool any = false;

    if (k->outstanding > WANTED_MAX / 2 && env_ticks() < k->asked_at + WANTED_NS)
        return false;
    if (env_ticks() >= k->asked_at + WANTED_NS)
        k->outstanding = 0;
    k->asking = true;
    while (k->asked < k->lacking.len && k->outstanding < WANTED_MAX) {
        const struct which *w = &k->lacking.list[k->asked++];
        struct catalogue_entry e;

        if (catalogue_get(k->catalogue, w->case_id, w->number, &e, &err) > 0 &&
            digest_is_zero(&e.digest)) {
            pthread_mutex_lock(&s->lock);
            whiches_add(&s->wants, w->case_id, w->number);
            pthread_mutex_unlock(&s->lock);
            k->outstanding++;
            any = true;
        }
        catalogue_entry_clear(&e);
    }
    if (k->asked == k->lacking.len) {
        whiches_clear(&k->lacking);
        k->asked = 0;
        k->asking = false;
    }
    k->asked_at = env_ticks();
    pthread_mutex_lock(&s->lock);
    count_lacks(s);
    pthread_mutex_unlock(&s->lock);
    tell_loop(s);
    return any;
}

/* The batch is written, and who waits is told. */
static void settle(struct search *s)
{
    struct keeper *k = &s->k;
    struct error err = ERROR_INIT;
    int64_t all = 0, by_name = 0;

    if (end(k, &err) < 0)
        trouble(s, &err);
    if (k->catalogue)
        (void)catalogue_count(k->catalogue, &all, &by_name, &err);
    pthread_mutex_lock(&s->lock);
    s->done += k->jobs;
    s->documents = all;
    s->by_name = by_name;
    s->hurry = false;
    count_lacks(s);
    pthread_mutex_unlock(&s->lock);
    k->jobs = k->bytes = 0;
    k->parts = true;
    tell_loop(s);
}

/* Under the lock: sleeps until something changes, or `until` (ticks; 0: for good). */
static void doze(struct search *s, int64_t until)
{
    struct timespec t;
    int64_t at;

    if (until == 0) {
        pthread_cond_wait(&s->changed, &s->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &t);
    at = t.tv_sec * NS_PER_S + t.tv_nsec + (until - env_ticks());
    t = (struct timespec){(time_t)(at / NS_PER_S), (long)(at % NS_PER_S)};
    pthread_cond_timedwait(&s->changed, &s->lock, &t);
}

/* What is to be done when no job is there: true when it was done, false when nothing is. */
static bool rest(struct search *s, bool hurry)
{
    struct keeper *k = &s->k;
    struct error err = ERROR_INIT;
    bool late = env_ticks() >= k->since + LINGER_NS;

    if (k->asking && k->catalogue && ask(s))
        return true;
    if (k->jobs > 0 && (hurry || late)) {
        settle(s);
        return true;
    }
    if (k->jobs > 0 || !k->catalogue)
        return false;
    if (k->lacking.len + k->outstanding > 0 && late && ask(s))
        return true;
    if (k->gone.len > 0 && late) {
        if (remove_gone(k, &err) < 0)
            trouble(s, &err);
        return true;
    }
    if (k->parts && env_ticks() >= k->since + MERGE_NS) {
        int rc = catalogue_merge(k->catalogue, &err);

        k->parts = rc > 0;
        if (rc < 0)
            trouble(s, &err);
        return true;
    }
    return false;
}

/* When rest() has something to do although nothing happens; 0: never. */
static int64_t next_rest(const struct keeper *k)
{
    if (k->jobs > 0 || k->gone.len > 0)
        return k->since + LINGER_NS;
    if (k->outstanding > 0)
        return k->asked_at + WANTED_NS;
    if (k->lacking.len > 0)
        return k->since + LINGER_NS;
    return k->parts ? k->since + MERGE_NS : 0;
}

/* Jobs are to lie. Under the lock. */
static bool is_resting(const struct search *s)
{
    return s->rests > 0 && !s->hurry && !s->stop && env_ticks() < s->rests;
}

/* When there is something to do next although nothing happens; 0: never. Under the lock. */
static int64_t next_time(const struct search *s)
{
    int64_t next = next_rest(&s->k);

    if (s->first && (next == 0 || s->rests < next))
        next = s->rests;
    return next;
}

static struct job *take_job(struct search *s)
{
    struct job *j = s->first;

    if (!j)
        return NULL;
    s->first = j->next;
    if (!s->first)
        s->last = &s->first;
    s->queued--;
    s->texts -= j->text >= 0;
    s->queued_bytes -= j->bytes;
    return j;
}

static void open_all(struct search *s)
{
    struct error err = ERROR_INIT;

    if (reopen(s, false, &err) < 0)
        trouble(s, &err);
    s->k.since = env_ticks();
}

static void *thread_main(void *ctx)
{
    struct search *s = ctx;
    struct keeper *k = &s->k;

    /* Of this thread alone, on Linux; a system that refuses lets it run as all others. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    open_all(s);
    k->jobs = 1; /* the opening counts as a job that was given */
    pthread_mutex_lock(&s->lock);
    while (!s->stop) {
        bool hurry = s->hurry;
        struct job *j = is_resting(s) ? NULL : take_job(s);
        bool busy;

        pthread_mutex_unlock(&s->lock);
        if (j) {
            run_job(s, j);
            job_free(j);
        }
        if (k->jobs >= BATCH_JOBS || k->bytes >= BATCH_BYTES)
            settle(s);
        busy = j || rest(s, hurry);
        pthread_mutex_lock(&s->lock);
        if (busy || s->stop || (s->first && !is_resting(s)) || s->hurry != hurry)
            continue;
        s->hurry = false;
        doze(s, next_time(s));
    }
    pthread_mutex_unlock(&s->lock);
    if (k->open)
        settle(s);
    return NULL;
}

/* ---- the loop's side ----------------------------------------------------------------------------
 */

static void on_async(uv_async_t *a)
{
    struct search *s = a->data;
    struct whiches wants;
    bool rested;

    pthread_mutex_lock(&s->lock);
    wants = s->wants;
    s->wants = (struct whiches){0};
    rested = s->rested;
    s->rested = false;
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; s->o.want && i < wants.len; i++)
        s->o.want(s->o.ctx, wants.list[i].case_id, wants.list[i].number);
    whiches_clear(&wants);
    if (rested && s->o.rested)
        s->o.rested(s->o.ctx);
    /* While something is to come, somebody may wait for that and nothing else. */
    if (search_done(s) >= s->given && !search_lacks(s))
        uv_unref((uv_handle_t *)a);
}

static void init_shared(struct search *s)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &attr);
    pthread_condattr_destroy(&attr);
    s->last = &s->first;
}

struct search *search_new(uv_loop_t *loop, const struct search_options *o, struct error *err)
{
    struct search *s = xcalloc(1, sizeof *s);
    int rc;

    s->o = *o;
    s->dir = xstrdup(o->state_dir);
    s->o.state_dir = s->dir;
    s->given = 1;
    init_shared(s);
    uv_async_init(loop, &s->async, on_async);
    s->async.data = s;
    rc = pthread_create(&s->thread, NULL, thread_main, s);
    if (rc == 0)
        return s;
    error_set(err, rc, "the search's thread cannot be started");
    s->thread = 0;
    search_free(s);
    return NULL;
}

static void give(struct search *s, struct job *j)
{
    s->given++;
    uv_ref((uv_handle_t *)&s->async);
    pthread_mutex_lock(&s->lock);
    /* The first of those that lie has the thread wake when their time is over. */
    if (!s->first || !is_resting(s))
        pthread_cond_signal(&s->changed);
    j->next = NULL;
    *s->last = j;
    s->last = &j->next;
    s->queued++;
    s->texts += j->text >= 0;
    s->queued_bytes += j->bytes;
    pthread_mutex_unlock(&s->lock);
}

static struct job *job_new(enum job_kind kind, const char *case_id, int64_t number)
{
    struct job *j = xcalloc(1, sizeof *j);

    j->kind = kind;
    j->number = number;
    j->text = -1;
    snprintf(j->case_id, sizeof j->case_id, "%s", case_id);
    return j;
}

void search_row(struct search *s, const char *case_id, int64_t number)
{
    give(s, job_new(JOB_ROW, case_id, number));
}

/* Too much waits already: this one is asked for when that is done. */
static bool is_full(struct search *s, uint64_t bytes)
{
    bool full;

    pthread_mutex_lock(&s->lock);
    full = s->texts > 0 && (s->texts >= QUEUE_JOBS || s->queued_bytes + bytes > QUEUE_BYTES);
    pthread_mutex_unlock(&s->lock);
    return full;
}

void search_text(struct search *s, const char *case_id, int64_t number, const struct digest *digest,
                 const struct content *content, int text)
{
    uint64_t bytes = text >= 0 && content ? content->text_len : 0;
    struct job *j;

    if (bytes > 0 && is_full(s, bytes)) {
        search_row(s, case_id, number);
        return;
    }
    j = job_new(JOB_TEXT, case_id, number);
    j->digest = *digest;
    entry_take(&j->entry, content);
    if (bytes > 0)
        j->text = fcntl(text, F_DUPFD_CLOEXEC, 3);
    if (bytes > 0 && j->text < 0)
        j->kind = JOB_ROW; /* no descriptor is free: later */
    else
        j->bytes = bytes;
    give(s, j);
}

void search_unread(struct search *s)
{
    give(s, job_new(JOB_UNREAD, "", 0));
}

void search_again(struct search *s)
{
    give(s, job_new(JOB_AGAIN, "", 0));
}

uint64_t search_given(const struct search *s)
{
    return s->given;
}

uint64_t search_done(struct search *s)
{
    uint64_t done;

    pthread_mutex_lock(&s->lock);
    done = s->done;
    pthread_mutex_unlock(&s->lock);
    return done;
}

bool search_lacks(struct search *s)
{
    bool lacks;

    pthread_mutex_lock(&s->lock);
    lacks = s->lacks > 0;
    pthread_mutex_unlock(&s->lock);
    return lacks;
}

void search_hurry(struct search *s)
{
    pthread_mutex_lock(&s->lock);
    s->hurry = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

void search_rest(struct search *s, unsigned ms)
{
    pthread_mutex_lock(&s->lock);
    s->rests = ms ? env_ticks() + ms * NS_PER_MS : 0;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

void search_status(struct search *s, struct str *out)
{
    pthread_mutex_lock(&s->lock);
    json_num(out, "documents", s->documents);
    json_num(out, "by_name_only", s->by_name);
    json_num(out, "waiting", (int64_t)s->queued);
    if (*s->trouble)
        json_text(out, "trouble", s->trouble);
    pthread_mutex_unlock(&s->lock);
}

static void on_closed(uv_handle_t *h)
{
    struct search *s = h->data;
    struct job *j;

    while ((j = take_job(s)))
        job_free(j);
    catalogue_close(s->k.catalogue);
    state_close(s->k.state);
    whiches_clear(&s->k.gone);
    whiches_clear(&s->k.lacking);
    whiches_clear(&s->wants);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s->dir);
    free(s);
}

void search_free(struct search *s)
{
    if (!s)
        return;
    if (s->thread) {
        pthread_mutex_lock(&s->lock);
        s->stop = true;
        pthread_cond_signal(&s->changed);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
    }
    uv_close((uv_handle_t *)&s->async, on_closed);
}
