/*
 *     snapshot_make
 *       shelf_open            leftovers of earlier runs are removed
 *       payload_list          what is in the case folder
 *       payload_expect        what it must be; nothing new: SAME; something against it: DIFFERS, BUSY
 *       heal_find             an archive of an earlier run that nobody recorded
 *       write                 pump (reads, hashes) -> pack (compresses) -> sink (hashes, writes)
 *       proof_read            from the disk, entry by entry
 *       intend                told to who keeps the private state, before it has a name
 *       shelf_publish         its rights, its name
 */
#include "archive/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/attributes.h"
#include "archive/heal.h"
#include "archive/pack.h"
#include "archive/payload.h"
#include "archive/proof.h"
#include "archive/pump.h"
#include "archive/shelf.h"
#include "archive/tags.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "cabinet/access.h"
#include "decide/lang.h"

struct snapshot {
    const struct snapshot_order *o;
    struct snapshot_result *r;
    int case_fd;
    struct payload payload;
    struct findings findings;
    struct shelf shelf;
    struct tags tags;
    char *top; /* "Smith_Divorce_Archive_2026-11-23" */
};

const char *snapshot_outcome_name(enum snapshot_outcome o)
{
    static const char *const names[] = {[SNAPSHOT_MADE] = "made",
                                        [SNAPSHOT_SAME] = "same",
                                        [SNAPSHOT_DIFFERS] = "differs",
                                        [SNAPSHOT_BUSY] = "busy",
                                        [SNAPSHOT_FAILED] = "failed"};

    return names[o];
}

const char *snapshot_ending(enum snapshot_format f)
{
    return f == SNAPSHOT_ZIP ? ".zip" : ".tar.zst";
}

void snapshot_result_clear(struct snapshot_result *r)
{
    for (size_t i = 0; r->findings && r->findings[i]; i++)
        free(r->findings[i]);
    free(r->findings);
    free(r->path);
    free(r->why);
    memset(r, 0, sizeof *r);
}

/* ---- writing ---------------------------------------------------------------------------------- */

static int begin_entry(const struct snapshot *s, struct pack *pack, const struct pump_piece *piece,
                       struct error *err)
{
    const struct payload_entry *e = piece->entry;
    bool folder = e->kind == PAYLOAD_FOLDER;
    AUTO_FREE char *name = xasprintf("%s/data/%s%s", s->top, e->stored, folder ? "/" : "");
    struct pack_entry entry = {.name = name,
                               .size = e->size,
                               .mtime_ns = payload_mtime(&s->payload, e),
                               .uid = e->uid,
                               .gid = e->gid,
                               /* Who unpacks it must be able to read it, whatever it was. */
                               .mode = folder ? S_IFDIR | 0700 | (e->mode & 0777)
                                              : S_IFREG | 0600 | (e->mode & 0777),
                               .deflate = piece->deflate};

    return pack_begin(pack, &entry, err);
}

static int put_piece(const struct snapshot *s, struct pack *pack, const struct pump_piece *piece,
                     struct error *err)
{
    if (piece->first && begin_entry(s, pack, piece, err) < 0)
        return -1;
    if (pack_add(pack, piece->bytes, piece->len, err) < 0)
        return -1;
    return piece->last ? pack_end(pack, err) : 0;
}

static void on_progress(void *ctx, uint64_t bytes)
{
    const struct snapshot *s = ctx;

    if (s->o->progress)
        s->o->progress(s->o->ctx, bytes, s->payload.bytes);
}

static bool on_stopped(void *ctx)
{
    const struct snapshot *s = ctx;

    return s->o->stopped && s->o->stopped(s->o->ctx);
}

/* All files of the case. 0, 1 when findings say why not, -1 with err. */
static int put_payload(struct snapshot *s, struct pack *pack, struct error *err)
{
    struct pump_options po = {.case_fd = s->case_fd,
                              .payload = &s->payload,
                              .metadata = s->tags.metadata,
                              .sha512 = s->tags.sha512,
                              .findings = &s->findings,
                              .stopped = on_stopped,
                              .progress = on_progress,
                              .ctx = s};
    struct pump *pump = pump_start(&po);
    struct pump_piece piece;
    int rc = 0, read;

    if (!pump)
        return error_set(err, errno, "the case cannot be read");
    while (rc == 0 && pump_next(pump, &piece)) {
        rc = put_piece(s, pack, &piece, err);
        pump_release(pump);
    }
    if (rc < 0)
        pump_stop(pump);
    read = pump_end(pump);
    if (rc == 0 && read < 0)
        return error_set(err, errno, "the metadata of the case cannot be written");
    return rc < 0 ? rc : read;
}

static int open_spools(struct snapshot *s, struct error *err)
{
    AUTO_STR struct str header = STR_INIT;

    s->tags.metadata = shelf_spool(&s->shelf, err);
    s->tags.sha512 = s->tags.metadata < 0 ? -1 : shelf_spool(&s->shelf, err);
    if (s->tags.sha512 < 0)
        return -1;
    attributes_header(&header, s->o->lang);
    if (io_write_all(s->tags.metadata, header.s, header.len) < 0)
        return error_set(err, errno, "the metadata of the case cannot be written");
    return 0;
}

/* As put_payload(). */
static int write_archive(struct snapshot *s, struct error *err)
{
    struct pack *pack = pack_new(s->shelf.fd, s->o->format, err);
    int rc;

    if (!pack)
        return -1;
    s->tags.pack = pack;
    rc = tags_begin(&s->tags, err);
    if (rc == 0)
        rc = put_payload(s, pack, err);
    if (rc == 0)
        rc = tags_finish(&s->tags, err);
    if (rc != 0) {
        pack_free(pack);
        return rc;
    }
    if (pack_finish(pack, &s->r->size, &s->r->digest, err) < 0)
        return -1;
    /* A failed fsync is not tried again on the same data: the run is over. */
    return fsync(s->shelf.fd) < 0 ? error_set(err, errno, "the archive cannot be written") : 0;
}

static int prove(struct snapshot *s, struct error *err)
{
    struct proof_wanted w = {.size = s->r->size,
                             .digest = s->r->digest,
                             .payload = &s->payload,
                             .tags = &s->tags,
                             .format = s->o->format,
                             .stopped = on_stopped,
                             .ctx = s};

    return proof_read(s->shelf.dir, s->shelf.temp, &w, err);
}

/* Until it is written down what comes next, a crash could not tell our archive from a planted one. */
static int intend(struct snapshot *s, struct error *err)
{
    if (!s->o->intend || s->o->intend(s->o->ctx, s->r))
        return 0;
    return error_set(err, 0, "that the archive is about to get its name could not be recorded");
}

static int publish(struct snapshot *s, struct error *err)
{
    struct shelf_rights rights = {
        .case_fd = s->case_fd,
        .owner_only = access_walled(s->o->root, s->case_fd, s->o->case_path)};
    AUTO_FREE char *name = NULL;

    if (shelf_publish(&s->shelf, s->top, snapshot_ending(s->o->format), &s->r->digest, &rights,
                      &name, err) < 0)
        return -1;
    s->r->path = xasprintf("%s/%s", s->o->folder, name);
    s->r->outcome = SNAPSHOT_MADE;
    return 0;
}

static int make(struct snapshot *s, struct error *err)
{
    int rc;

    s->tags = (struct tags){.order = s->o,
                            .payload = &s->payload,
                            .lang = s->o->lang,
                            .top = s->top,
                            .metadata = -1,
                            .sha512 = -1};
    rc = shelf_begin(&s->shelf, err);
    if (rc == 0)
        rc = open_spools(s, err);
    if (rc == 0)
        rc = write_archive(s, err);
    if (rc == 0)
        rc = prove(s, err);
    if (rc == 0)
        rc = intend(s, err);
    if (rc == 0)
        rc = publish(s, err);
    cleanup_close(&s->tags.metadata);
    cleanup_close(&s->tags.sha512);
    return rc;
}

/* ---- from beginning to end -------------------------------------------------------------------- */

static int look(struct snapshot *s, struct error *err)
{
    struct payload_options po = {.case_fd = s->case_fd,
                                 .case_id = s->o->case_id,
                                 .rules = s->o->rules,
                                 .strict = s->o->purpose == SNAPSHOT_CLOSED,
                                 .findings = &s->findings};
    int rc = -1;

    po.state = state_open(s->o->state_dir, true, err);
    if (po.state && payload_list(&s->payload, &po, err) == 0)
        rc = payload_expect(&s->payload, &po, err);
    state_close(po.state);
    malloc_trim(0); /* what the database took is not needed beside the archive's own lists */
    s->r->content = s->payload.content;
    s->r->documents = s->payload.documents;
    s->r->bytes = s->payload.bytes;
    return rc;
}

static int heal(struct snapshot *s, struct error *err)
{
    struct heal_order h = {.order = s->o, .shelf = &s->shelf, .case_fd = s->case_fd};

    return heal_find(&h, s->r, err);
}

static int run(struct snapshot *s, struct error *err)
{
    int rc;

    s->case_fd = beneath_open(s->o->root, s->o->case_path, O_RDONLY | O_DIRECTORY, 0);
    if (s->case_fd < 0)
        return error_set(err, errno, "the case folder %s cannot be opened", s->o->case_path);
    if (shelf_open(&s->shelf, s->o->root, s->o->folder, err) < 0)
        return -1;
    rc = heal(s, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (look(s, err) < 0 || s->findings.worst != SNAPSHOT_MADE)
        return *err->text ? -1 : 0;
    s->r->outcome = SNAPSHOT_SAME;
    if (digest_equal(&s->o->content, &s->payload.content))
        return 0;
    rc = make(s, err);
    if (rc > 0 && s->findings.worst == SNAPSHOT_MADE)
        rc = error_set(err, ECANCELED, "it was stopped");
    return rc < 0 ? -1 : 0;
}

/* What stopped it, as the person who asked reads it. */
static void tell_failure(struct snapshot *s, const struct error *err)
{
    const char *key = err->number == ENOSPC || err->number == EDQUOT ? "archive.help.full"
                      : err->number == EROFS                         ? "archive.help.read-only"
                      : err->number == EACCES || err->number == EPERM ? "archive.help.rights"
                                                                      : "archive.help.failed";

    s->r->outcome = SNAPSHOT_FAILED;
    s->r->why = err->number == ECANCELED
                    ? xstrdup(lang_get(s->o->lang, "archive.stopped"))
                    : xasprintf("%s. %s", error_text(err), lang_get(s->o->lang, key));
}

void snapshot_make(const struct snapshot_order *o, struct snapshot_result *r)
{
    struct error why = ERROR_INIT;
    struct snapshot s = {.o = o,
                         .r = r,
                         .case_fd = -1,
                         .shelf = {.dir = -1, .fd = -1},
                         .findings = {.lang = o->lang, .worst = SNAPSHOT_MADE}};
    int rc;

    memset(r, 0, sizeof *r);
    s.top = xasprintf("%s_Archive_%s", o->prefix, o->date);
    rc = run(&s, &why);
    if (s.findings.worst != SNAPSHOT_MADE) {
        r->outcome = s.findings.worst;
        r->findings = findings_take(&s.findings);
        if (r->outcome == SNAPSHOT_FAILED)
            r->why = xstrdup(r->findings[0]);
    } else if (rc < 0) {
        tell_failure(&s, &why);
    }
    shelf_close(&s.shelf);
    findings_clear(&s.findings);
    payload_clear(&s.payload);
    cleanup_close(&s.case_fd);
    free(s.top);
}
