/*
 * Looking at one folder: is it a case, which, and what became of it.
 *
 *   look_away       the folder is gone
 *   look_named      no card: does its name make it a case, or nearly one?
 *   look_again      a case that was here before: has its card or its readers changed?
 *   look_first      a card where none was known: whose is it (new, known, moved, a copy)?
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cabinet/access.h"
#include "cabinet/cabinet.h"
#include "cabinet/casename.h"
#include "cabinet/matter_set.h"
#include "decide/name.h"
#include "record/journal.h"

#define CARD_MAX (256 * 1024) /* bytes of a Case.txt that are read at most */

/* What one look found on disk. */
struct sight {
    const char *path;
    int fd; /* of the folder */
    struct doc_stamp stamp;
    struct doc_stamp card_stamp;
    int card_errno; /* 0: text is the card; ENOENT: there is none */
    struct str text;
    struct digest digest;
    bool fresh;
    struct state *state;
};

/* Who has a case id already. */
enum claim {
    CLAIM_FREE,  /* nobody */
    CLAIM_HERE,  /* the case at this path */
    CLAIM_MOVED, /* the case that is this folder, under a former path */
    CLAIM_COPY,  /* another folder, which is still there */
};

void matter_look_clear(struct matter_look *look)
{
    free(look->was);
    free(look->would);
    free(look->client);
    free(look->case_type);
    memset(look, 0, sizeof *look);
}

/* Inbox, Archive and what begins with a dot hold no cases (Archive: snapshots of them). */
bool matters_may_hold(const char *path)
{
    size_t n = strcspn(path, "/");

    if (!*path || (n == strlen(INBOX_NAME) && strncasecmp(path, INBOX_NAME, n) == 0) ||
        (n == strlen(ARCHIVE_NAME) && strncasecmp(path, ARCHIVE_NAME, n) == 0))
        return false;
    return path[0] != '.' && !strstr(path, "/.");
}

static struct matter *outer(const struct matters *m, const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *parent = slash ? xmemdup0(path, (size_t)(slash - path)) : NULL;

    return parent ? matters_of(m, parent, NULL) : NULL;
}

/* -1 with errno when the folder cannot be opened. A card that cannot be read is no failure. */
static int sight_take(struct sight *s, int root)
{
    s->fd = beneath_open(root, s->path, O_RDONLY | O_DIRECTORY, 0);
    if (s->fd < 0 || doc_stamp_take(s->fd, -1, NULL, &s->stamp) < 0)
        return -1;
    if (doc_stamp_take(-1, s->fd, CARD_NAME, &s->card_stamp) < 0 ||
        io_read_file(s->fd, CARD_NAME, &s->text, CARD_MAX) < 0) {
        s->card_errno = errno ? errno : EIO;
        return 0;
    }
    s->digest = digest_of(str_c(&s->text), s->text.len);
    return 0;
}

static void sight_clear(struct sight *s)
{
    cleanup_close(&s->fd);
    str_clear(&s->text);
}

/* The id in the case's own journal, or "". Returns -1 when it cannot be read. */
static int journal_id(int fd, char id[static CASE_ID_SIZE])
{
    struct error none = ERROR_INIT;
    int rc = journal_case_id(fd, id, &none);

    if (rc < 0)
        id[0] = '\0';
    return rc;
}

/* The id on the card in the folder fd, or "". Returns -1 when it cannot be read. */
static int card_id(int fd, const struct lang *lang, char id[static CASE_ID_SIZE])
{
    AUTO_STR struct str text = STR_INIT;
    struct card card;

    id[0] = '\0';
    if (io_read_file(fd, CARD_NAME, &text, CARD_MAX) < 0)
        return -1;
    card_parse(&card, str_c(&text), text.len, NULL, lang, DATE_ORDER_ASK);
    if (card.id)
        snprintf(id, CASE_ID_SIZE, "%s", card.id);
    card_clear(&card);
    return 0;
}

/* Is the folder at path (still) the case id? In doubt, when it cannot be read, it is: a copy of it
 * is not to be taken for the case itself. dev and ino are what it was known by. */
static bool still_there(const struct matters *m, const char *path, const char *id, uint64_t dev,
                        uint64_t ino)
{
    AUTO_CLOSE int fd = beneath_open(m->root, path, O_RDONLY | O_DIRECTORY, 0);
    char found[CASE_ID_SIZE];
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 ||
        fstatat(fd, CARD_NAME, &(struct stat){0}, AT_SYMLINK_NOFOLLOW) < 0)
        return errno != ENOENT && errno != ENOTDIR;
    if (st.st_dev == dev && st.st_ino == ino)
        return true;
    if (journal_id(fd, found) < 0 || (!*found && card_id(fd, m->lang, found) < 0))
        return true;
    return strcmp(found, id) == 0;
}

/* 1 with row (the caller clears it), 0 when the state knows no such case, -1 with err. */
static int row_of(struct state *state, const char *id, struct case_row *row, struct error *err)
{
    memset(row, 0, sizeof *row);
    return state && *id ? state_case_get(state, id, row, err) : 0;
}

/* What memory knows is newer than the state's row. *was is set for CLAIM_MOVED. */
static int claim_of(struct matters *m, const struct sight *s, const char *id, char **was,
                    struct error *err)
{
    struct matter *known = matters_by_id(m, id);
    struct case_row row;
    const char *path;
    uint64_t dev, ino;
    int rc = row_of(s->state, id, &row, err);

    if (rc < 0)
        return -1;
    if (!known && rc == 0)
        return CLAIM_FREE;
    path = known ? known->facts.path : row.path;
    dev = known ? known->stamp.dev : row.dev;
    ino = known ? known->stamp.ino : row.ino;
    if (!path || strcmp(path, s->path) == 0) {
        rc = CLAIM_HERE;
    } else if ((dev != s->stamp.dev || ino != s->stamp.ino) && still_there(m, path, id, dev, ino)) {
        rc = CLAIM_COPY;
    } else {
        free(*was);
        *was = xstrdup(path);
        rc = CLAIM_MOVED;
    }
    case_row_clear(&row);
    return rc;
}

/* For state_each_case(): the case whose folder this is, when neither card nor journal say. */
struct search {
    const struct sight *s;
    const struct matters *m;
    char id[CASE_ID_SIZE];
};

static int is_this_folder(void *ctx, const struct case_row *row)
{
    struct search *q = ctx;

    if (!row->path || strcmp(row->path, q->s->path) != 0 || row->dev != q->s->stamp.dev ||
        row->ino != q->s->stamp.ino)
        return 0;
    memcpy(q->id, row->id, sizeof q->id);
    return 1;
}

/* For state_each_case(): this path was a case, or this folder under another path. */
static int was_this_folder(void *ctx, const struct case_row *row)
{
    const struct search *q = ctx;
    const struct doc_stamp *now = &q->s->stamp;

    return (row->path && strcmp(row->path, q->s->path) == 0) ||
           (row->ino == now->ino && row->dev == now->dev && row->birth_ns &&
            row->birth_ns == now->birth_ns);
}

static int is_below_folder(void *ctx, const struct case_row *row)
{
    struct search *q = ctx;
    size_t n = strlen(q->s->path);

    return row->path && strncmp(row->path, q->s->path, n) == 0 && row->path[n] == '/' &&
           still_there(q->m, row->path, row->id, row->dev, row->ino);
}

/* 1 when cases that are there lie below the folder: a card in it would swallow them. */
static int holds_cases(const struct matters *m, const struct sight *s, struct error *err)
{
    AUTO_FREE char *below = xasprintf("%s/", s->path);
    size_t at = matters_lower(m, below);
    struct search q = {.s = s, .m = m};

    if (at < m->len && strncmp(m->order[at]->path, below, strlen(below)) == 0)
        return 1;
    return s->state ? state_each_case(s->state, is_below_folder, &q, err) : 0;
}

/* The card as it is now becomes `seen`, and, without mistakes or before any without, `card`. What
 * Explorer makes is blank at first, and no good card to fall back to. */
static void take_card(struct matters *m, struct node *n, const struct sight *s)
{
    card_clear(&n->m.seen);
    card_parse(&n->m.seen, str_c(&s->text), s->text.len, m->rules, m->lang, m->date_order);
    if (!n->has_good_card || n->m.seen.problems_len == 0) {
        card_clear(&n->m.card);
        card_parse(&n->m.card, str_c(&s->text), s->text.len, m->rules, m->lang, m->date_order);
        n->has_good_card = n->m.card.problems_len == 0 && !n->m.card.blank;
    }
    n->has_card = true;
    n->m.card_digest = s->digest;
    n->m.card_stamp = s->card_stamp;
}

/* The card is there and cannot be read: told; the last good one counts. */
static void miss_card(struct matters *m, struct node *n, const struct sight *s)
{
    const char *key = s->card_errno == EFBIG                              ? "too-large"
                      : s->card_errno == EINVAL || s->card_errno == ELOOP ? "not-a-file"
                                                                          : "unreadable";

    card_clear(&n->m.seen);
    card_parse(&n->m.seen, "", 0, NULL, m->lang, m->date_order);
    card_add_problem(&n->m.seen, 1, m->lang, key, NULL, NULL, NULL);
    memset(&n->m.card_digest, 0, sizeof n->m.card_digest);
    n->m.card_stamp = s->card_stamp;
}

/* No card of it was ever read here: nothing is done to the case that its card may forbid, and it is
 * as closed as it was. */
static void presume_card(const struct matters *m, struct node *n)
{
    free(n->m.card.hold);
    n->m.card.hold = xstrdup(lang_get(m->lang, "card.unread"));
    n->m.card.closed = n->m.closed;
}

/* Mistakes that show only beside the folder: a foreign id, neither client nor case type. */
static void check_card(const struct matters *m, struct node *n)
{
    struct card *seen = &n->m.seen;

    if (seen->id && strcmp(seen->id, n->id) != 0)
        card_add_problem(seen, 1, m->lang, "foreign-id", NULL, seen->id, n->id);
    if (!*n->case_type && !(seen->client && seen->bad_case_type))
        card_add_problem(seen, 1, m->lang, "no-client", NULL, n->prefix, NULL);
}

/* Returns whether `seen` is new. */
static bool update_card(struct matters *m, struct node *n, const struct sight *s)
{
    if (s->card_errno && !n->has_card)
        presume_card(m, n);
    if (s->card_errno == EAGAIN || s->card_errno == EINTR)
        return false; /* somebody is saving it: the next look sees it */
    if (s->card_errno == 0 && n->has_card && digest_equal(&s->digest, &n->m.card_digest))
        return false;
    if (s->card_errno && n->m.seen.problems_len && digest_is_zero(&n->m.card_digest) &&
        doc_stamp_equal(&s->card_stamp, &n->m.card_stamp))
        return false;
    if (s->card_errno)
        miss_card(m, n, s);
    else
        take_card(m, n, s);
    return true;
}

/* What the state knows of the case beside its path. Returns whether it was news. */
static bool take_row(struct node *n, const struct case_row *row)
{
    /* An answer to a former renaming is none to this one, which the row does not know yet. */
    bool told = row->renamed_told && row->path && strcmp(row->path, n->path) == 0;
    bool news = !n->m.known || n->renamed_told != told || n->tampered != row->tampered ||
                n->m.adopted_ns != row->adopted_ns || n->m.closed != row->closed;

    n->m.known = true;
    n->renamed_told = told;
    n->tampered = row->tampered;
    n->m.closed = row->closed;
    n->m.adopted_ns = row->adopted_ns;
    for (const char *p = row->former ? row->former : ""; *p;) {
        size_t len = strcspn(p, "/");

        news |= matter_add_former(n, p, len);
        p += len + (p[len] == '/');
    }
    return news;
}

/* Brings the node up to what was seen and to its row, NULL when it has none. Returns whether people
 * would see a change. */
static bool update(struct matters *m, struct node *n, const struct sight *s,
                   const struct case_row *row, bool first)
{
    bool restricted = access_restricted(m->root, s->fd, s->path), card, news = first, seen;

    if (row)
        news |= take_row(n, row);
    card = update_card(m, n, s);
    seen = card || restricted != n->m.facts.restricted;
    n->m.stamp = s->stamp;
    if (!seen && !news)
        return false;
    n->m.facts.restricted = restricted;
    matter_make_facts(m, n);
    if (card)
        check_card(m, n);
    return seen;
}

static int look_again(struct matters *m, struct node *n, const struct sight *s,
                      struct matter_look *look, struct error *err)
{
    struct case_row row = {.path = NULL};
    int rc = n->m.untouchable ? 0 : row_of(s->state, n->id, &row, err);
    bool seen;

    if (rc < 0)
        return -1;
    seen = update(m, n, s, rc > 0 ? &row : NULL, false);
    case_row_clear(&row);
    look->matter = &n->m;
    look->event = s->state && !n->m.known ? MATTER_NEW : seen ? MATTER_CHANGED : MATTER_SAME;
    return 0;
}

/* The prefix that folders of this name stand for, "" when none. */
static char *prefix_of(const struct matters *m, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char *client = NULL, *type = NULL;
    bool is =
        casename_split(name, &client, &type) && (!m->rules || rules_case_type(m->rules, type));

    free(client);
    free(type);
    return xstrdup(is ? name : "");
}

/* The node that will stand at s->path for the case that was at `was`. */
static struct node *moved_node(struct matters *m, const struct sight *s, const char *id,
                               const char *was)
{
    struct matter *known = matters_by_id(m, id);
    struct node *n = (struct node *)(void *)known;
    AUTO_FREE char *prefix = n ? xstrdup(n->prefix) : prefix_of(m, was);

    matters_forget(m, s->path);
    if (n)
        matters_move(m, n, s->path);
    else
        n = matters_add(m, s->path);
    matters_set_id(m, n, id);
    matter_add_former(n, prefix, strlen(prefix));
    return n;
}

/* A node for a case that nothing was known of in memory. */
static struct node *first_node(struct matters *m, const struct sight *s, const char *id, bool copy)
{
    struct node *n = matters_node(m, s->path, strlen(s->path));
    char fresh[CASE_ID_SIZE];

    if (!n || !copy || !n->m.untouchable) {
        matters_forget(m, s->path);
        n = matters_add(m, s->path);
    }
    if (!*id)
        case_id_mint(fresh);
    n->m.untouchable = copy;
    matters_set_id(m, n, *id ? id : fresh);
    return n;
}

/* Whose folder it is: id (may be "") and claim; *was for CLAIM_MOVED. The journal tells before the
 * card, which people copy as a pattern for others; but what either copied is a copy. */
static int identify(struct matters *m, const struct sight *s, char id[static CASE_ID_SIZE],
                    char **was, struct error *err)
{
    char on_card[CASE_ID_SIZE] = "";
    struct search q = {.s = s, .m = m};
    int claim = CLAIM_FREE, of_card, rc;

    (void)journal_id(s->fd, id); /* the card, the state tell, too */
    if (!s->card_errno)
        (void)card_id(s->fd, m->lang, on_card);
    if (*id)
        claim = claim_of(m, s, id, was, err);
    if (claim < 0 || claim == CLAIM_HERE || claim == CLAIM_COPY)
        return claim;
    if (*on_card && strcmp(on_card, id) != 0) {
        AUTO_FREE char *card_was = NULL;

        of_card = claim_of(m, s, on_card, &card_was, err);
        if (of_card < 0 || of_card == CLAIM_COPY || !*id) {
            memcpy(id, on_card, CASE_ID_SIZE);
            free(*was);
            *was = card_was;
            card_was = NULL;
            return of_card;
        }
    }
    if (*id || !s->state)
        return claim;
    rc = state_each_case(s->state, is_this_folder, &q, err);
    if (rc == 1)
        memcpy(id, q.id, CASE_ID_SIZE);
    return rc < 0 ? -1 : rc == 1 ? CLAIM_HERE : claim;
}

static int look_first(struct matters *m, const struct sight *s, struct matter_look *look,
                      struct error *err)
{
    char id[CASE_ID_SIZE] = "";
    AUTO_FREE char *was = NULL;
    struct node *n = matters_node(m, s->path, strlen(s->path));
    struct case_row row = {.path = NULL};
    int claim = identify(m, s, id, &was, err), rc;

    if (claim < 0)
        return -1;
    if (claim == CLAIM_FREE) {
        rc = s->card_errno && !*id ? 1 : holds_cases(m, s, err);
        if (rc != 0)
            return rc < 0 ? -1 : 0;
    }
    if (n && claim == CLAIM_HERE && strcmp(n->id, id) == 0 && !n->m.untouchable)
        return look_again(m, n, s, look, err); /* restored, or replaced by itself: new inode */
    rc = claim == CLAIM_COPY ? 0 : row_of(s->state, id, &row, err);
    if (rc < 0)
        return -1; /* while nothing is half made */
    look->first = n ? strcmp(n->id, id) != 0 : !matters_by_id(m, id);
    n = claim == CLAIM_MOVED ? moved_node(m, s, id, was)
                             : first_node(m, s, id, claim == CLAIM_COPY);
    (void)update(m, n, s, rc > 0 ? &row : NULL, true);
    case_row_clear(&row);
    look->matter = &n->m;
    look->event = claim == CLAIM_COPY    ? MATTER_COPY
                  : claim == CLAIM_MOVED ? MATTER_MOVED
                  : n->m.known           ? MATTER_SAME
                                         : MATTER_NEW;
    if (claim == CLAIM_MOVED) {
        look->was = was;
        was = NULL;
    }
    return 0;
}

bool matters_has_prefix(const struct matters *m, const char *prefix)
{
    for (size_t i = 0; i < m->len; i++) {
        const struct node *n = m->order[i];

        if (!n->m.untouchable && name_same(n->prefix, prefix))
            return true;
        for (const char **f = n->former; f && *f; f++)
            if (name_same(*f, prefix))
                return true;
    }
    return false;
}

/* prefix, or the first of prefix-2, prefix-3, … that no case has or had. */
static char *free_prefix(const struct matters *m, const char *prefix)
{
    char *p = xstrdup(prefix);

    for (unsigned i = 2; matters_has_prefix(m, p); i++) {
        free(p);
        p = xasprintf("%s-%u", prefix, i);
    }
    return p;
}

/* The folder has no card. */
static int look_named(struct matters *m, const struct sight *s, struct matter_look *look,
                      struct error *err)
{
    const char *slash = strrchr(s->path, '/');
    AUTO_FREE char *name = utf8_nfc(slash ? slash + 1 : s->path);
    struct search q = {.s = s, .m = m};
    char id[CASE_ID_SIZE];
    struct casename c;
    enum casename_verdict v;
    int rc;

    if (matters_node(m, s->path, strlen(s->path))) {
        matters_forget(m, s->path);
        look->event = MATTER_GONE;
        return 0;
    }
    if (!s->fresh)
        return 0;
    v = journal_id(s->fd, id) < 0 || *id ? CASENAME_NONE
                                         : casename_read(m->rules, m->lang, name, &c);
    if (v == CASENAME_NONE)
        return 0; /* with a journal: a case whose card somebody took away */
    /* What is being deleted loses its card first and its folder last: no new case begins in it. */
    rc = s->state ? state_each_case(s->state, was_this_folder, &q, err) : 0;
    if (rc == 0)
        rc = holds_cases(m, s, err);
    if (rc == 0) {
        look->would = free_prefix(m, v == CASENAME_CASE ? name : c.would);
        look->event =
            v == CASENAME_CASE && strcmp(look->would, name) == 0 ? MATTER_FOLDER : MATTER_NEAR_MISS;
    }
    if (look->event == MATTER_FOLDER) {
        look->client = xstrdup(c.client);
        look->case_type = xstrdup(c.case_type);
    }
    casename_clear(&c);
    return rc < 0 ? -1 : 0;
}

/* The folder is gone, or is no place for cases (any more). */
static int look_away(struct matters *m, const char *path, struct matter_look *look)
{
    size_t before = m->len;

    matters_forget(m, path);
    if (m->len != before)
        look->event = MATTER_GONE;
    return 0;
}

static int look_at(struct matters *m, const struct sight *s, struct matter_look *look,
                   struct error *err)
{
    struct node *n = matters_node(m, s->path, strlen(s->path));

    if (s->card_errno == ENOENT)
        return look_named(m, s, look, err);
    if (n && !n->m.untouchable && doc_stamp_same_file(&s->stamp, &n->m.stamp))
        return look_again(m, n, s, look, err);
    return look_first(m, s, look, err);
}

int matters_look(struct matters *m, const char *path, bool fresh, struct state *state,
                 struct matter_look *look, struct error *err)
{
    struct sight s = {.path = path, .fd = -1, .fresh = fresh, .state = state};
    int rc;

    memset(look, 0, sizeof *look);
    if (!matters_may_hold(path))
        return 0;
    if (outer(m, path))
        return look_away(m, path, look);
    if (sight_take(&s, m->root) == 0)
        rc = look_at(m, &s, look, err);
    else if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
        rc = look_away(m, path, look);
    else
        rc = error_set(err, errno, "cannot read the folder %s", path);
    sight_clear(&s);
    if (rc < 0)
        matter_look_clear(look);
    return rc;
}
