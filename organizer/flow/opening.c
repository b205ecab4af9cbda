/* opening: a folder becomes a case: its card, its drop box, its row and first line. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"
#include "cabinet/rights.h"
#include "flow/casework.h"
#include "flow/internal.h"

/* The drop box: people have to see where to drop. Other folders are made when first needed. It is made in
 * the folder as it was opened: by path, a folder that was renamed meanwhile would be made again. */
static void make_inbox(struct flow *f, const char *path)
{
    AUTO_CLOSE int folder = beneath_open(f->cab.root, path, O_RDONLY | O_DIRECTORY, 0);

    if (folder < 0 && errno == ENOENT)
        return;
    if (folder < 0 || rights_mkdirs(folder, INBOX_NAME) < 0)
        log_line(&f->log, LOG_WARNING, "the Inbox cannot be made", "folder", path, "error",
                 strerror(errno), NULL);
}

static bool wants_inbox(const struct matter *m)
{
    return m->known && !m->untouchable && !m->opening && !m->moving && !m->facts.closed &&
           !m->card.hold && m->facts.naming != NAMING_OFF;
}

void flow_inbox_again(struct flow *f, const char *path)
{
    const struct matter *m = *path ? matters_by_path(f->matters, path) : NULL;
    AUTO_FREE char *inbox = NULL;

    if (f->cab.config.mode != MODE_ENFORCE || (*path && (!m || !wants_inbox(m))))
        return;
    inbox = xjoin(path, INBOX_NAME);
    if (faccessat(f->cab.root, inbox, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        make_inbox(f, path);
}

static int write_card(struct flow *f, const char *path, const char *client, const char *case_type,
                      struct error *err)
{
    char id[CASE_ID_SIZE], day[DATE_TEXT];
    AUTO_FREE char *text = NULL;
    AUTO_CLOSE int dir = beneath_open(f->cab.root, path, O_RDONLY | O_DIRECTORY, 0);
    AUTO_CLOSE int fd = -1;

    if (dir < 0)
        return error_set(err, errno, "the folder %s cannot be opened", path);
    case_id_mint(id);
    text = card_text(id, client, case_type, date_text(f->policy.today, day));
    fd = openat(dir, CARD_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return 0;
    if (fd < 0 || io_write_all(fd, text, strlen(text)) < 0 || rights_of_file(dir, fd) < 0 ||
        fsync(fd) < 0 || fsync(dir) < 0)
        return error_set(err, errno, "the card in %s cannot be written", path);
    return 0;
}

/* When what lies in the case became the organizer's: the age of its card, by the same clock as the
 * ages of its documents. */
static int64_t adoption(const struct flow *f, const struct matter *m)
{
    int64_t now = env_disk_now(f->env);

    return m->card_stamp.ctime_ns ? m->card_stamp.ctime_ns : now;
}

void flow_take_in(struct flow *f, struct matter *m, bool adopt, flow_answer *answer, void *ctx)
{
    struct case_note note = {.kind = adopt ? "adopted" : "opened",
                             .adopted_ns = adopt ? adoption(f, m) : 0};

    m->opening = true;
    m->adopted_ns = note.adopted_ns;
    make_inbox(f, m->facts.path);
    flow_record_case(f, m, &note, answer, ctx);
}

void flow_open_case(struct flow *f, const char *path, const char *client, const char *case_type,
                    bool adopt, flow_answer *answer, void *ctx)
{
    struct error err = ERROR_INIT;
    struct matter_look look;
    AUTO_FREE char *copy = xstrdup(path);

    if (write_card(f, copy, client, case_type, &err) < 0 ||
        matters_look(f->matters, copy, true, f->state, &look, &err) < 0) {
        if (answer)
            answer(ctx, 3, error_text(&err));
        else
            log_line(&f->log, LOG_ERROR, "case could not be opened", "folder", copy, "error",
                     error_text(&err), NULL);
        return;
    }
    if (look.event == MATTER_NEW && !look.matter->opening)
        flow_take_in(f, look.matter, adopt, answer, ctx);
    else if (answer)
        answer(ctx, look.matter ? 0 : 3, look.matter ? copy : "no case was made");
    matter_look_clear(&look);
}
