/*
 * folders: a folder dropped into an Inbox goes whole, unchanged, to As Received/.
 *
 * It is moved when nothing in it changed for the Inbox's settle time and nobody writes in it.
 * From the office Inbox it goes where its name's prefix says, else it is listed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cabinet/casename.h"
#include "decide/name.h"
#include "file/lease.h"
#include "flow/companions.h"
#include "flow/folders.h"
#include "flow/internal.h"
#include "flow/notices.h"

#define AS_RECEIVED "As Received"
/* So many entries are looked at before a folder counts as quiet by its own time alone. */
#define FOLDER_LOOK_MAX 20000

struct folder_state {
    int64_t latest_ns; /* last change of anything in it */
    unsigned left;     /* entries that may still be looked at */
    bool open;         /* someone writes in it */
    bool empty;
    int error; /* errno of what could not be looked at: what else is so is not known; or 0 */
};

/* With errno. What is gone or not ours to open tells nothing. */
static void look_failed(struct folder_state *s)
{
    if (!io_is_lasting(errno))
        s->error = errno;
}

static void look_in(struct folder_state *s, int fd, int depth);

static void look_entry(struct folder_state *s, int dir, const char *name, int depth)
{
    struct doc_stamp stamp;
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        doc_stamp_take(-1, dir, name, &stamp) < 0) {
        look_failed(s);
        return;
    }
    s->empty = false;
    if (stamp.ctime_ns > s->latest_ns)
        s->latest_ns = stamp.ctime_ns;
    if (S_ISDIR(st.st_mode)) {
        int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
            look_failed(s);
        else
            look_in(s, fd, depth + 1);
    } else if (S_ISREG(st.st_mode)) {
        int open = lease_ask_in(dir, name);

        s->open |= open > 0;
        if (open < 0)
            look_failed(s);
    }
}

/* Takes the descriptor over; -1 with errno: it could not be opened. */
static void look_in(struct folder_state *s, int fd, int depth)
{
    DIR *d = io_list_own(fd);
    struct dirent *e;
    int more = d ? 0 : -1;

    while (d && !s->open && depth < 64 && s->left > 0 && (more = io_next(d, &e)) > 0) {
        s->left--;
        look_entry(s, dirfd(d), e->d_name, depth);
    }
    if (more < 0)
        look_failed(s);
    if (d)
        closedir(d);
}

/* The folder of the case that is called so but for capitals: for Windows and Macs it is the same
 * one, and of two they would show one only. Returns 1; 0 when there is none; -1 with errno when
 * that is not known now. */
static int same_folder(int root, const char *case_path, const char *folder, char **found)
{
    DIR *d = io_list_own(beneath_open(root, case_path, O_RDONLY | O_DIRECTORY, 0));
    struct dirent *e;
    int more = -1, saved;

    while (d && (more = io_next(d, &e)) > 0)
        if (e->d_type == DT_DIR && name_same(e->d_name, folder)) {
            *found = xjoin(case_path, e->d_name);
            break;
        }
    saved = errno;
    if (d)
        closedir(d);
    errno = saved;
    return more < 0 && io_is_lasting(errno) ? 0 : more;
}

char *folder_in_case(int root, const char *case_path, const char *folder)
{
    char *path = *folder ? xjoin(case_path, folder) : xstrdup(case_path);
    char *same = NULL;
    int saved;

    if (!*folder || faccessat(root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return path;
    if (same_folder(root, case_path, folder, &same) == 0)
        return path;
    saved = errno;
    free(path);
    errno = saved;
    return same;
}

/* The case that a folder is for, by the prefix of its name; NULL when unclear. */
static struct matter *case_for(const struct matters *all, const char *name)
{
    AUTO_FREE char *key = utf8_fold(name);
    struct matter *best = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < matters_len(all); i++) {
        struct matter *m = matters_at(all, i);
        AUTO_FREE char *prefix = utf8_fold(m->facts.prefix);
        size_t n = strlen(prefix);

        if (!m->untouchable && n > longest && strncmp(key, prefix, n) == 0 &&
            (key[n] == '\0' || strchr("_ -", key[n]))) {
            best = m;
            longest = n;
        }
    }
    return best;
}

struct folder_work {
    struct flow *flow;
    struct item *item;
    char *from;
};

static void folder_moved(void *ctx, struct act *a)
{
    struct folder_work *w = ctx;
    struct flow *f = w->flow;

    if (a->status == ACT_DONE) {
        flow_unnotice(f, REASON_WHICH_CASE, w->from);
        flow_unnotice(f, REASON_OTHER_CASE, w->from);
        log_line(&f->log, LOG_NOTICE, "folder received", "from", w->from, "to", a->to, NULL);
        flow_scan(f, a->to);
        flow_finish(f, w->item);
    } else if (a->status == ACT_BUSY || a->status == ACT_STOPPED) {
        flow_later(f, w->item, settle_backoff_ms(6 + w->item->tries++));
    } else {
        log_line(&f->log, LOG_WARNING, "cannot move the folder", "folder", w->from, "error",
                 error_text(&a->error), NULL);
        flow_finish(f, w->item);
    }
    free(w->from);
    free(w);
}

static void receive(struct flow *f, struct item *it, struct matter *m, const char *name)
{
    struct act *a = act_new(ACT_FOLDER);
    struct folder_work *w = xcalloc(1, sizeof *w);
    char day[DATE_TEXT];

    w->flow = f;
    w->item = it;
    w->from = xstrdup(it->path);
    a->from = xstrdup(it->path);
    a->to_folder = xasprintf("%s/%s", m->facts.path, AS_RECEIVED);
    a->to_name = xasprintf("%s %s", date_text(f->policy.today, day), name);
    a->stamp = it->stamp;
    a->case_path = xstrdup(m->facts.path);
    memcpy(a->doc.case_id, m->facts.id, strlen(m->facts.id));
    journal_body(&a->journal, env_now(f->env), "received");
    json_name(&a->journal, "from_cabinet", it->path);
    a->done = folder_moved;
    a->ctx = w;
    filer_submit(f->filer, a);
}

/* It is not taken anywhere: what lies in it is looked at where it is. */
static void folder_stays(struct flow *f, struct item *it)
{
    AUTO_FREE char *path = xstrdup(it->path);

    flow_unnotice(f, REASON_WHICH_CASE, path);
    flow_unnotice(f, REASON_OTHER_CASE, path);
    flow_finish(f, it);
    flow_scan(f, path);
}

enum reason folder_reason(const struct matters *all, int root, const char *path,
                          const struct lang *lang, struct matter **target, const char **other)
{
    struct matter *home, *named = case_for(all, strrchr(path, '/') + 1);
    const char *inside;
    bool stays = companions_is_page_folder(root, path);

    matters_zone(all, path, &home, &inside);
    if (target)
        *target = stays ? NULL : home ? home : named;
    *other = "";
    if (stays || (home && (!named || named == home)))
        return REASON_NONE;
    if (!home)
        return named ? REASON_NONE : REASON_WHICH_CASE;
    *other = named->facts.restricted ? lang_get(lang, "case.restricted") : named->facts.prefix;
    return REASON_OTHER_CASE;
}

static void folder_listed(struct flow *f, struct item *it, enum reason reason, const char *other)
{
    struct notice_text t;

    notice_text_make(&t, f->lang, reason,
                     &(struct notice_about){.path = it->path, .other = other});
    flow_notice(f, reason, it->path, t.sentence, t.help);
    flow_finish(f, it);
}

/* Somebody has a document in it open: told when that lasts. */
static void folder_open(struct flow *f, struct item *it, const char *name)
{
    int64_t now = env_ticks();

    if (!it->since)
        it->since = now;
    if (it->listed_as == REASON_WAITING_LONG || now - it->since < f->env->patience_ns)
        return;
    it->listed_as = REASON_WAITING_LONG;
    flow_notice(f, REASON_WAITING_LONG, it->path,
                lang_format(f->lang, "reason.waiting-long.folder", "name", name, "minutes", "15", NULL),
                xstrdup(lang_get(f->lang, "help.waiting-long")));
}

/* A folder directly in an Inbox: is it finished, and where does it go? */
static void settle_folder(struct flow *f, struct item *it, int fd)
{
    struct folder_state s = {.left = FOLDER_LOOK_MAX, .empty = true};
    const char *name = strrchr(it->path, '/') + 1;
    AUTO_FREE char *dir = xmemdup0(it->path, (size_t)(name - it->path - 1));
    int64_t settle = config_settle_ms(&f->cab.config, dir);
    int64_t now = env_disk_now(f->env);
    struct matter *m;
    const char *other;
    enum reason reason;

    doc_stamp_take(fd, -1, NULL, &it->stamp);
    s.latest_ns = it->stamp.ctime_ns;
    look_in(&s, fcntl(fd, F_DUPFD_CLOEXEC, 3), 0);
    if (s.error && !s.open) {
        it->why = SETTLE_DENIED;
        flow_look_in_vain(f, it, s.error);
        return;
    }
    it->why = s.open ? SETTLE_OPEN : s.empty ? SETTLE_EMPTY : SETTLE_QUIET;
    if (s.open) {
        folder_open(f, it, name);
    } else {
        it->since = 0;
        if (it->listed_as == REASON_WAITING_LONG)
            flow_unnotice(f, REASON_WAITING_LONG, it->path);
        it->listed_as = REASON_NONE;
    }
    if (s.open || s.empty) {
        flow_later(f, it, settle_backoff_ms(6 + it->tries++));
        return;
    }
    if ((now - s.latest_ns) / NS_PER_MS < settle && now > s.latest_ns) {
        flow_later(f, it, settle - (now - s.latest_ns) / NS_PER_MS);
        return;
    }
    reason = folder_reason(f->matters, f->cab.root, it->path, f->lang, &m, &other);
    if (reason != REASON_NONE)
        folder_listed(f, it, reason, other);
    else if (!m || m->facts.closed || m->card.hold || f->cab.config.mode != MODE_ENFORCE)
        folder_stays(f, it);
    else
        receive(f, it, m, name);
}

/* The folder directly in an Inbox that path lies below; NULL when it lies below none. */
static char *folder_in_inbox(struct flow *f, const char *path)
{
    static const char inbox[] = INBOX_NAME "/";
    struct matter *home;
    const char *inside, *rest, *slash;

    if (!strstr(path, inbox))
        return NULL;
    matters_zone(f->matters, path, &home, &inside);
    if (!inside)
        inside = path;
    if (strncmp(inside, inbox, sizeof inbox - 1) != 0)
        return NULL;
    rest = inside + sizeof inbox - 1;
    slash = strchr(rest, '/');
    return slash ? xmemdup0(path, (size_t)(slash - path)) : NULL;
}

bool flow_is_in_waiting_folder(struct flow *f, const char *path)
{
    AUTO_FREE char *folder = folder_in_inbox(f, path);

    return folder && items_find(&f->items, folder) != NULL;
}

void flow_hint_folder_above(struct flow *f, const char *path)
{
    AUTO_FREE char *folder = folder_in_inbox(f, path);
    struct item *it = folder ? items_find(&f->items, folder) : NULL;

    if (it && it->stage == ITEM_WAITING)
        items_wake(&f->items, it);
}

bool flow_folder_in_inbox(struct flow *f, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct matter *home;
    const char *inside;
    enum zone zone = matters_zone(f->matters, path, &home, &inside);
    struct item *it;

    if (zone != ZONE_OFFICE_INBOX && zone != ZONE_CASE_INBOX)
        return false;
    if (!slash || decide_is_ignored(f->rules, slash + 1, true, NULL))
        return false;
    it = items_hint(&f->items, path);
    it->flow = f;
    flow_wake(f);
    return true;
}

/* A folder whose rights changed, or that will be a case when it was quiet for long enough. */
static void look_other_folder(struct flow *f, struct item *it, const struct matter *home)
{
    int64_t left = !home && casename_could_be(it->path) ? flow_folder_settles_ms(f, it->path) : 0;

    if (left > 0) {
        it->why = SETTLE_QUIET;
        flow_later(f, it, left);
        return;
    }
    flow_folder_attributes(f, it->path);
    flow_finish(f, it);
}

void flow_look_folder(struct flow *f, struct item *it)
{
    struct matter *home;
    const char *inside;
    enum zone zone = matters_zone(f->matters, it->path, &home, &inside);
    AUTO_CLOSE int fd = beneath_open(f->cab.root, it->path, O_RDONLY | O_DIRECTORY, 0);
    int number = errno;

    if (zone != ZONE_OFFICE_INBOX && zone != ZONE_CASE_INBOX) {
        look_other_folder(f, it, home);
        return;
    }
    if (flow_leaves_alone(home)) {
        flow_finish(f, it);
    } else if (fd < 0) {
        flow_barred_beside(f, it->path, number);
        flow_look_in_vain(f, it, number);
    } else {
        settle_folder(f, it, fd);
    }
}
