/* The text of organizer.yaml that `init` writes. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "cabinet/config.h"

#define SECOND INT64_C(1000)
#define DAY    (86400 * SECOND)

static const char *const mode_names[] = {"enforce", "suggest"};
static const char *const format_names[] = {"zip", "tar.zst"};
static const char *const naming_names[] = {"standard", "inbox", "everywhere", "off"};
static const char *const order_names[] = {"ask", "mdy", "dmy", "ymd"};

/* The time as people write it: the largest unit that fits. */
static void put_duration(struct str *out, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{DAY, "d"}, {3600 * SECOND, "h"}, {60 * SECOND, "m"}, {SECOND, "s"}, {1, "ms"}};
    size_t i = 0;

    if (ms == 0) {
        str_add(out, "0s");
        return;
    }
    while (ms % units[i].ms != 0)
        i++;
    str_addf(out, "%" PRId64 "%s", ms / units[i].ms, units[i].unit);
}

/* A text value in double quotes, as YAML and JSON write it. */
static void put_quoted(struct str *out, const char *s)
{
    str_addc(out, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            str_addc(out, '\\');
        if ((unsigned char)*s < 0x20)
            str_addf(out, "\\x%02X", (unsigned char)*s);
        else
            str_addc(out, *s);
    }
    str_addc(out, '"');
}

static void put_times(struct str *out, const struct config *c)
{
    str_add(out,
            "\n# How long a document must lie unchanged before it is filed: scanners and sync\n"
            "# programs pause while they write. Folders that need longer are named below, by\n"
            "# name (anywhere) or by path from the cabinet down.\nsettle: ");
    put_duration(out, c->settle_ms);
    str_add(out, "\n# folders: { Scans: { settle: 30s }, Synced: { settle: 10m } }\nfolders: {");
    for (size_t i = 0; i < c->folders_len; i++) {
        str_add(out, i ? ", " : " ");
        put_quoted(out, c->folders[i].folder);
        str_add(out, ": { settle: ");
        put_duration(out, c->folders[i].settle_ms);
        str_add(out, i + 1 < c->folders_len ? " }" : " } ");
    }
    str_add(
        out,
        "}\n\n# Documents that people still edit (Word, Excel, ...) in the standard folders are\n"
        "# named only when nobody has changed them for this long.\ndrafts: ");
    put_duration(out, c->drafts_s * SECOND);
}

static void put_dates(struct str *out, const struct config *c)
{
    str_addf(
        out,
        "\n\n# How dates in figures are read: 3-2-26 is 2 March (mdy: month first), 3 February\n"
        "# (dmy: day first), or asked about (ask) when it could be either. Also: ymd.\n"
        "date_order: %s\n\n"
        "# Where the date of a document may come from, in this order: its name, the document\n"
        "# itself (in turn mail, written, filed, taken: a mail's date, \"Dated ...\", the court's\n"
        "# stamp, a photo's), the time of a file that is newly dropped.\n"
        "date_from: [",
        order_names[c->date_order]);
    for (size_t i = 0; i < c->date_from_len; i++)
        str_addf(out, "%s%s", i ? ", " : "", date_source_name(c->date_from[i]));
    str_addf(out,
             "]\n\n# The office's time zone, for dates in names. Journals are in UTC.\n"
             "time_zone: %s\n\n"
             "# When everything is looked over, at night; \"never\" for not at all.\nnightly: ",
             c->time_zone);
    if (c->nightly_min < 0)
        str_add(out, "never");
    else
        str_addf(out, "\"%02d:%02d\"", c->nightly_min / 60, c->nightly_min % 60);
}

static void put_archives(struct str *out, const struct config *c)
{
    static const char *const names[] = {"never", "weekly", "nightly"};

    str_addf(out,
             "\n\n# Closed cases are archived every night. Whether open ones are, too (never, weekly,\n"
             "# nightly; it takes room for a copy each), and how many of those copies are kept.\n"
             "snapshots: %s\nkeep: %u\n\n"
             "# When a closed case whose archive is in order moves to the folder Closed: so long\n"
             "# after it was closed, e.g. 30d; never: only by hand (organizer retire).\nretire: ",
             names[c->snapshots], c->keep);
    if (c->retire_s < 0)
        str_add(out, "never");
    else
        put_duration(out, c->retire_s * SECOND);
}

static void put_rest(struct str *out, const struct config *c)
{
    str_addf(
        out,
        "\n\n# Longest path of a filed document, in characters from this folder down. Explorer\n"
        "# and Office fail beyond 260 with the drive and folders above.\nmax_path: %u\n\n"
        "# How often folders are looked over that cannot be watched (network drives).\n"
        "sweep: ",
        c->max_path);
    put_duration(out, c->sweep_ms);
    str_add(out, "\n\n# The office's name, for the heading of its pages.\noffice: ");
    put_quoted(out, c->office ? c->office : "");
    str_addf(out,
             "\n\n# What closed cases become at night: a zip, which opens in Explorer and Finder, or\n"
             "# a tar.zst, which is made faster and a little smaller.\narchive_format: %s",
             format_names[c->archive_format]);
    str_add(out,
            "\n\n# Members of this group of the server may ask the running service: status, and find what they may read.\n"
            "group: ");
    put_quoted(out, c->group ? c->group : "");
    str_addf(
        out,
        "\n\n# Hooks (programs of the office's own): how many run at once, and how long each may.\n"
        "hook_limit: %u\nhook_time: ",
        c->hook_limit);
    put_duration(out, c->hook_ms);
    str_add(out, "\n# The same for hooks that take an archive off the server.\nupload_time: ");
    put_duration(out, c->upload_ms);
    str_addc(out, '\n');
}

char *config_text(const struct config *c)
{
    struct str out = STR_INIT;

    str_addf(
        &out,
        "# How this cabinet is kept. Every key may be left out; it then has its default.\n"
        "# Changes count after `organizer reload`. A change never renames what is\n"
        "# filed already. Only root and the service's own user may write this file.\n\n"
        "# enforce: documents are named and filed. suggest: nothing is touched; the names they\n"
        "# would get stand in the indexes, and `organizer plan` and `apply` carry them out.\n"
        "mode: %s\n\n"
        "# Which documents are named: standard (those in an Inbox or a standard folder), inbox\n"
        "# (only those dropped into an Inbox), everywhere, off. Case.txt may say otherwise.\n"
        "naming: %s\n",
        mode_names[c->mode], naming_names[c->naming]);
    put_times(&out, c);
    put_dates(&out, c);
    put_archives(&out, c);
    put_rest(&out, c);
    return str_detach(&out);
}
