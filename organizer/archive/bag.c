#include "archive/bag.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/bag_load.h"
#include "archive/bag_names.h"
#include "archive/bag_text.h"
#include "archive/sidecar.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/utf8.h"

static void tell(const struct bag *b, enum bag_rule rule, const char *file, const char *detail)
{
    bag_tell(b->options, b->counts, rule, file, detail);
}

/* ---- structure
 * ------------------------------------------------------------------------------- */

/* Whether there is a folder data, with an entry of its own or files in it. */
static bool has_payload_folder(const struct bag *b)
{
    const struct bag_file *data = bag_find(b, "data");

    if (data && data->present)
        return data->kind == UNPACK_FOLDER;
    for (size_t i = 0; i < b->files.len; i++)
        if (b->files.files[i]->present && bag_is_payload(b, b->files.files[i]))
            return true;
    return false;
}

static void check_structure(const struct bag *b)
{
    bool weak = true;

    if (!has_payload_folder(b))
        tell(b, BAG_NO_PAYLOAD, "data", NULL);
    if (!b->payload_manifests)
        tell(b, BAG_NO_MANIFEST, "", NULL);
    else if (!b->tag_manifests)
        tell(b, BAG_TAGMANIFEST_NONE, "", NULL);
    for (size_t i = 0; i < b->manifests_len; i++)
        if (!b->manifests[i].tag && b->manifests[i].algorithm >= 0)
            weak &= hash_is_weak(b->hashes.of[b->manifests[i].algorithm].name);
    if (weak && b->payload_manifests)
        tell(b, BAG_ALGORITHM_WEAK, "", NULL);
}

/* ---- each entry
 * ------------------------------------------------------------------------------ */

static void check_kind(const struct bag *b, const struct bag_file *f)
{
    if (f->twice)
        bag_tell_file(b, BAG_ENTRY_TWICE, f, NULL);
    if (f->kind == UNPACK_SYMLINK || f->kind == UNPACK_HARDLINK)
        bag_tell_file(b, BAG_ENTRY_LINK, f, NULL);
    if (f->kind == UNPACK_SPECIAL)
        bag_tell_file(b, BAG_ENTRY_SPECIAL, f, NULL);
    if (f->encrypted)
        bag_tell_file(b, BAG_ENTRY_ENCRYPTED, f, NULL);
}

static void check_payload(const struct bag *b, const struct bag_file *f)
{
    uint32_t all = (UINT32_C(1) << b->payload_manifests) - 1;

    b->counts->files++;
    b->counts->bytes += f->size;
    if (!b->payload_manifests || f->listed == all)
        return;
    if (!f->listed)
        bag_tell_file(b, BAG_UNLISTED, f, NULL);
    else if (b->version == 0 || b->version >= 100)
        bag_tell_file(b, BAG_UNLISTED_SOME, f, NULL);
}

static bool is_manifest(const struct bag *b, const struct bag_file *f, bool tag)
{
    for (size_t i = 0; i < b->manifests_len; i++)
        if (b->manifests[i].file == f)
            return b->manifests[i].tag == tag;
    return false;
}

static void check_tag(const struct bag *b, const struct bag_file *f)
{
    uint32_t all = (UINT32_C(1) << b->tag_manifests) - 1;

    if (!b->tag_manifests || f->tagged == all || is_manifest(b, f, true))
        return;
    if (is_manifest(b, f, false))
        bag_tell_file(b, BAG_TAGMANIFEST_LACKS_MANIFEST, f, NULL);
    else if (!f->tagged)
        bag_tell_file(b, BAG_TAGMANIFEST_LACKS_TAG, f, NULL);
}

static void check_absent(const struct bag *b, const struct bag_file *f)
{
    uint32_t all = (UINT32_C(1) << b->payload_manifests) - 1;

    if (f->fetch && f->listed != all)
        bag_tell_file(b, BAG_FETCH_UNLISTED, f, NULL);
    else if (f->fetch)
        bag_tell_file(b, BAG_MISSING_FETCH, f, NULL);
    else if (f->listed || f->tagged)
        bag_tell_file(b, BAG_MISSING, f, NULL);
}

static void check_file(const struct bag *b, const struct bag_file *f)
{
    const char *why;

    if (!f->present) {
        check_absent(b, f);
        return;
    }
    check_kind(b, f);
    if (!bag_has(b, f)) {
        if (f->kind != UNPACK_FOLDER)
            bag_tell_file(b, BAG_BESIDE, f, NULL);
        return;
    }
    if (f->kind == UNPACK_FILE && bag_is_payload(b, f))
        check_payload(b, f);
    else if (f->kind == UNPACK_FILE)
        check_tag(b, f);
    if ((why = bag_path_unwise(f->path)))
        bag_tell_file(b, BAG_NAME_UNWISE, f, why);
    if (f->kind == UNPACK_FILE && strcmp(bag_path_in(b, f), "data/bagit.txt") == 0)
        bag_tell_file(b, BAG_WITHIN, f, NULL);
}

/* ---- names that fall together
 * ---------------------------------------------------------------- */

static void check_pair(void *ctx, const struct bag_file *f, const struct bag_file *g)
{
    const struct bag *b = ctx;
    AUTO_FREE char *x = utf8_nfc(f->path);
    AUTO_FREE char *y = utf8_nfc(g->path);

    bag_tell_file(b, strcmp(x, y) == 0 ? BAG_NAME_NORMAL : BAG_NAME_CASE, g, bag_path_in(b, f));
}

static void check_names(struct bag *b)
{
    struct bag_names names;

    bag_names_make(&names, &b->files, utf8_fold);
    bag_names_pairs(&names, check_pair, b);
    bag_names_clear(&names);
}

/* ---- Payload-Oxum
 * ---------------------------------------------------------------------------- */

static void check_oxum(const struct bag *b)
{
    uint64_t bytes, files;
    AUTO_FREE char *is = NULL;

    if (!b->oxum) {
        tell(b, BAG_OXUM_NONE, "bag-info.txt", NULL);
        return;
    }
    if (bag_parse_oxum(b->oxum, &bytes, &files) < 0) {
        tell(b, BAG_OXUM_BAD, "bag-info.txt", b->oxum);
        return;
    }
    if (b->counts->fetch || (bytes == b->counts->bytes && files == b->counts->files))
        return;
    is = xasprintf("%s, and there are %" PRIu64 " bytes in %" PRIu64 " files", b->oxum,
                   b->counts->bytes, b->counts->files);
    tell(b, BAG_OXUM_WRONG, "bag-info.txt", is);
}

/* ---- digests
 * --------------------------------------------------------------------------------- */

/* Whether digests of f are known that were not yet compared with what is there. */
static bool is_to_be_read(const struct bag_file *f)
{
    return f->present && f->kind == UNPACK_FILE && !f->damaged && !f->encrypted &&
           (f->wanted & ~f->found);
}

static void judge_known(const struct bag *b)
{
    for (size_t i = 0; i < b->files.len; i++)
        if (b->files.files[i]->wanted & b->files.files[i]->found)
            bag_judge(b, b->files.files[i]);
}

static void check_digests(struct bag *b)
{
    AUTO_FREE struct bag_file **files = xcalloc(b->files.len + 1, sizeof(*files));
    struct error why = ERROR_INIT;
    size_t n = 0;

    for (size_t i = 0; i < b->files.len; i++)
        if (is_to_be_read(b->files.files[i])) {
            files[n++] = b->files.files[i];
            b->to_read += files[n - 1]->size;
        }
    judge_known(b);
    if (bag_hash_files(b, files, n, true, &why) < 0)
        tell(b, BAG_ARCHIVE_DAMAGED, "", error_text(&why));
}

/* ---- the whole
 * ------------------------------------------------------------------------------- */

static void check_whole(const struct bag *b, struct sidecar_hash *h, int beside,
                        const struct digest *said)
{
    struct bag_counts *c = b->counts;
    int r;

    if (!h)
        return;
    r = sidecar_finish(h, &c->digest);
    c->hashed = r == 0;
    if (r)
        tell(b, BAG_ARCHIVE_DAMAGED, "", strerror(r));
    else if (beside > 0 && !digest_equal(&c->digest, said))
        tell(b, BAG_SIDECAR_WRONG, "", NULL);
    else if (b->options->recorded && !digest_equal(&c->digest, b->options->recorded))
        tell(b, BAG_RECORD_WRONG, "", NULL);
}

static int check(struct bag *b, struct error *err)
{
    if (bag_load(b, err) < 0)
        return -1;
    check_structure(b);
    for (size_t i = 0; i < b->files.len; i++)
        check_file(b, b->files.files[i]);
    check_names(b);
    check_oxum(b);
    if (!b->options->fast)
        check_digests(b);
    return 0;
}

int bag_check(int dirfd, const char *path, const struct bag_options *o, struct bag_counts *c,
              struct error *err)
{
    struct bag b;
    struct sidecar_hash *h = NULL;
    struct error none = ERROR_INIT;
    struct digest said;
    int beside = 0, rc = bag_open(&b, dirfd, path, o, c, err);

    if (rc == 0 && b.fd >= 0 && !o->fast)
        beside = sidecar_read(dirfd, path, &said, &none);
    if (beside < 0)
        tell(&b, BAG_SIDECAR_BAD, SIDECAR_SUFFIX, error_text(&none));
    if (beside > 0 || (rc == 0 && b.fd >= 0 && !o->fast && o->recorded))
        h = sidecar_start(b.fd);
    if (rc == 0)
        rc = check(&b, err);
    check_whole(&b, h, beside, &said);
    bag_close(&b);
    return rc;
}
