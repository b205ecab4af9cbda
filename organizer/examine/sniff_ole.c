#include "examine/sniff.h"

#include <string.h>

#define NONE        UINT32_C(0xFFFFFFFF)
#define ENTRY       128
#define ENTRIES_MAX 4096 /* directory entries that are looked at */
#define STEPS_MAX   4096 /* links followed in all: chains may be loops */

struct compound {
    struct source *s;
    uint8_t header[512];
    uint32_t sector; /* bytes */
    unsigned steps;
    /* The directory's sectors in order, as far as they could be followed. */
    uint32_t dir[ENTRIES_MAX * ENTRY / 512];
    size_t dirs;
};

static bool read_at(struct compound *c, uint32_t sector, size_t offset, void *buf, size_t n)
{
    uint64_t at = ((uint64_t)sector + 1) * c->sector + offset;

    return sector < UINT32_C(0xFFFFFFFA) && c->steps++ < STEPS_MAX &&
           source_read(c->s, at, buf, n) == n;
}

/* Which sector holds part `index` of the allocation table; NONE when it cannot be found. */
static uint32_t table_sector(struct compound *c, uint32_t index)
{
    if (index < 109)
        return le32(c->header + 76 + 4 * index);

    uint32_t per = c->sector / 4 - 1, at = le32(c->header + 68);
    uint8_t b[4];

    index -= 109;
    for (; index >= per; index -= per) {
        if (!read_at(c, at, 4 * (size_t)per, b, 4))
            return NONE;
        at = le32(b);
    }
    return read_at(c, at, 4 * (size_t)index, b, 4) ? le32(b) : NONE;
}

static uint32_t next_sector(struct compound *c, uint32_t sector)
{
    uint32_t per = c->sector / 4, table = table_sector(c, sector / per);
    uint8_t b[4];

    return read_at(c, table, 4 * (size_t)(sector % per), b, 4) ? le32(b) : NONE;
}

static bool open_compound(struct compound *c, struct source *s)
{
    c->s = s;
    c->steps = 0;
    c->dirs = 0;
    if (s->len < sizeof c->header)
        return false;
    memcpy(c->header, s->head, sizeof c->header);

    unsigned shift = le16(c->header + 30);

    if (shift != 9 && shift != 12)
        return false;
    c->sector = 1U << shift;

    size_t most = (size_t)ENTRIES_MAX * ENTRY / c->sector;
    uint32_t at = le32(c->header + 48);

    while (at < UINT32_C(0xFFFFFFFA) && c->dirs < most) {
        c->dir[c->dirs++] = at;
        at = next_sector(c, at);
    }
    return c->dirs > 0;
}

static bool read_entry(struct compound *c, uint32_t id, uint8_t e[ENTRY])
{
    uint32_t per = c->sector / ENTRY;

    return id < ENTRIES_MAX && id / per < c->dirs &&
           read_at(c, c->dir[id / per], (size_t)(id % per) * ENTRY, e, ENTRY);
}

/* The entry's name as ASCII ('?' for others), and installers' packed names as "<msi>". */
static void entry_name(const uint8_t e[ENTRY], char name[33])
{
    size_t n = 0;

    for (; n < 32; n++) {
        unsigned u = le16(e + 2 * n);

        if (u == 0)
            break;
        if (n == 0 && u >= 0x3800 && u <= 0x4840) {
            memcpy(name, "<msi>", sizeof "<msi>");
            return;
        }
        name[n] = u < 0x80 ? (char)u : '?';
    }
    name[n] = '\0';
}

static enum kind kind_of_entry(const char *name)
{
    static const struct {
        const char *name;
        enum kind kind;
    } known[] = {
        {"WordDocument", KIND_DOC},
        {"Workbook", KIND_XLS},
        {"Book", KIND_XLS},
        {"PowerPoint Document", KIND_PPT},
        {"PP40", KIND_PPT},
        {"PP97_DUALSTORAGE", KIND_PPT},
        {"__properties_version1.0", KIND_MSG},
        {"__nameid_version1.0", KIND_MSG},
        {"VisioDocument", KIND_VSD},
        {"Quill", KIND_PUB},
        {"PerfectOffice_MAIN", KIND_WPD},
        {"<msi>", KIND_MSI},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].kind;
    return KIND_OLE;
}

/* What the root storage is said to be made by; KIND_OLE when that says nothing. */
static enum kind kind_of_class(const uint8_t clsid[16])
{
    static const uint8_t msi[8] = {0x84, 0x10, 0x0C, 0, 0, 0, 0, 0};
    static const uint8_t msp[8] = {0x86, 0x10, 0x0C, 0, 0, 0, 0, 0};
    static const uint8_t office_tail[8] = {0xC0, 0, 0, 0, 0, 0, 0, 0x46};

    if (memcmp(clsid + 8, office_tail, 8) != 0)
        return KIND_OLE;
    if (memcmp(clsid, msi, 8) == 0 || memcmp(clsid, msp, 8) == 0)
        return KIND_MSI;
    if (le32(clsid) == 0x00021201)
        return KIND_PUB;
    return KIND_OLE;
}

/*
 * Walks the names directly under the root, a binary tree: what is embedded deeper (a workbook in
 * a letter, a letter attached to a mail) does not count. Each entry is looked at once, so that a
 * tree that is a loop ends.
 */
static enum kind walk_root(struct compound *c, uint32_t first)
{
    uint8_t visited[ENTRIES_MAX / 8] = {0};
    uint32_t stack[64];
    size_t depth = 0;
    enum kind found = KIND_OLE;

    stack[depth++] = first;
    while (depth > 0) {
        uint32_t id = stack[--depth];
        uint8_t e[ENTRY];
        char name[33];

        if (id >= ENTRIES_MAX || visited[id / 8] & 1U << id % 8 || !read_entry(c, id, e))
            continue;
        visited[id / 8] |= (uint8_t)(1U << id % 8);
        entry_name(e, name);

        enum kind k = kind_of_entry(name);

        /* Encrypted Office files are wrapped whole: what is inside cannot be told. */
        if (strcmp(name, "EncryptedPackage") == 0)
            return KIND_OLE;
        if (k != KIND_OLE && (found == KIND_OLE || found == KIND_MSI))
            found = k;
        if (depth + 2 <= sizeof stack / sizeof stack[0]) {
            stack[depth++] = le32(e + 68);
            stack[depth++] = le32(e + 72);
        }
    }
    return found;
}

enum kind sniff_ole(struct source *s)
{
    struct compound c;
    uint8_t root[ENTRY];

    if (!open_compound(&c, s) || !read_entry(&c, 0, root))
        return KIND_OLE;

    enum kind k = kind_of_class(root + 80);

    return k != KIND_OLE ? k : walk_root(&c, le32(root + 76));
}
