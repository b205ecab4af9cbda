/* Index.html, Index.csv and Needs attention.txt, made through publish_run(). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/csv.h"
#include "base/env.h"
#include "base/error.h"
#include "base/io.h"
#include "base/str.h"
#include "decide/lang.h"
#include "publish/publish.h"
#include "record/content_row.h"
#include "record/state.h"
#include "remove_tree.h"

#define ID  "0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210"
#define NOW INT64_C(1795472087000000000) /* 2026-11-23T22:14:47Z */
#define DAY (24 * 3600 * NS_PER_S)

/* A language of our own, so that better sentences in rules/ break nothing here. */
static const char language[] = "page.language: en\n"
                               "page.attention-more.many: 'and {n} more in Index.html'\n"
                               "page.attention-more.one: 'and {n} more in Index.html'\n"
                               "page.attention-more-cases.many: 'and {n} more cases'\n"
                               "page.restricted.many: '{n} restricted matters'\n"
                               "page.restricted.one: '{n} restricted matter'\n"
                               "page.from: 'from {name}'\n"
                               "page.things.many: '{n} things'\n"
                               "page.things.one: '{n} thing'\n"
                               "page.was-named: 'was {name}'\n"
                               "page.would-be: 'would be {name}'\n"
                               "page.restricted-sentence: a restricted matter\n"
                               "reason.own-file: '{name} set aside as {other}'\n";

struct office {
    char dir[40], state_dir[64];
    struct lang *lang;
    struct state *state;
    struct publish_job job;
};

static void put_case(struct office *o, size_t i, const char *id, const char *path)
{
    struct case_row row = {.path = xstrdup(path), .next_doc = 1};
    struct page_case *c = &o->job.cases[i];
    struct error err = ERROR_INIT;

    *c = (struct page_case){.id = xstrdup(id),
                            .path = xstrdup(path),
                            .prefix = xstrdup(path),
                            .client = xstrdup(path),
                            .case_type = xstrdup("Divorce"),
                            .status = xstrdup("open"),
                            .write = true};
    o->job.cases_len = i + 1;
    snprintf(row.id, sizeof row.id, "%s", id);
    assert_int_equal(state_case_put(o->state, &row, &err), 0);
    assert_int_equal(beneath_mkdirs(o->job.root, path), 0);
    case_row_clear(&row);
}

static int setup(void **ctx)
{
    struct office *o = xcalloc(1, sizeof *o);
    struct error err = ERROR_INIT;
    char path[128];
    int fd;

    strcpy(o->dir, "/tmp/test_publish_pages.XXXXXX");
    assert_non_null(mkdtemp(o->dir));
    snprintf(o->state_dir, sizeof o->state_dir, "%s/.state", o->dir);
    snprintf(path, sizeof path, "%s/.en.yaml", o->dir);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(io_write_all(fd, language, sizeof language - 1), 0);
    close(fd);
    o->lang = lang_load(path, &err);
    if (!o->lang)
        fail_msg("%s", err.text);
    o->state = state_open(o->state_dir, false, &err);
    assert_non_null(o->state);
    o->job = (struct publish_job){.root = open(o->dir, O_RDONLY | O_DIRECTORY),
                                  .state_dir = o->state_dir,
                                  .lang = o->lang,
                                  .time_zone = "America/New_York",
                                  .now_ns = NOW,
                                  .cases = xcalloc(8, sizeof(struct page_case)),
                                  .write_cabinet = true};
    put_case(o, 0, ID, "Smith_Divorce");
    *ctx = o;
    return 0;
}

static int teardown(void **ctx)
{
    struct office *o = *ctx;

    close(o->job.root);
    publish_job_clear(&o->job);
    state_close(o->state);
    lang_free(o->lang);
    remove_tree(o->dir);
    free(o);
    return 0;
}

static void put_doc(struct office *o, const char *case_id, const struct doc *like)
{
    static uint64_t ino = 100;
    struct error err = ERROR_INIT;
    struct doc d;

    doc_copy(&d, like);
    snprintf(d.case_id, sizeof d.case_id, "%s", case_id);
    d.stamp.ino = ino++;
    if (state_doc_put(o->state, &d, &err) < 0)
        fail_msg("%s", error_text(&err));
    doc_clear(&d);
}

/* A literal as a member of struct doc, which put_doc() only copies. */
static char *lit(const char *s)
{
    return (char *)(uintptr_t)s;
}

static struct doc filed(const char *path)
{
    return (struct doc){
        .path = lit(path), .state = DOC_FILED, .filed_ns = NOW - DAY, .type = lit("Letter")};
}

static struct doc listed(const char *path, enum reason reason)
{
    return (struct doc){.path = lit(path),
                        .state = DOC_LISTED,
                        .reason = reason,
                        .sentence = lit("This is why."),
                        .help = lit("Do that.")};
}

static void run(struct office *o)
{
    o->job.written = 0;
    if (publish_run(&o->job) < 0)
        fail_msg("%s", error_text(&o->job.error));
}

/* The file's bytes, "" when there is none. The caller frees them. */
static char *file(struct office *o, const char *path)
{
    struct str s = STR_INIT;
    const char *name;
    int dir = beneath_parent(o->job.root, path, &name);

    if (io_read_file(dir, name, &s, 64u << 20) < 0)
        str_clear(&s);
    close(dir);
    return str_detach(&s);
}

static bool holds(struct office *o, const char *path, const char *text)
{
    AUTO_FREE char *s = file(o, path);

    return strstr(s, text) != NULL;
}

#define assert_holds(o, path, text)     assert_true(holds(o, path, text))
#define assert_not_holds(o, path, text) assert_false(holds(o, path, text))

static void assert_absent(struct office *o, const char *path)
{
    assert_int_equal(faccessat(o->job.root, path, F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void an_empty_case_has_its_pages(void **ctx)
{
    struct office *o = *ctx;

    run(o);
    assert_holds(o, "Smith_Divorce/Index.html", "page.no-documents");
    assert_holds(o, "Smith_Divorce/Index.csv", "page.csv.date");
    assert_holds(o, "How this works.html", "page.how.intro");
    assert_holds(o, "Index.html", "./Smith_Divorce/Index.html");
    assert_absent(o, "Smith_Divorce/Needs attention.txt");
}

static void nothing_new_writes_nothing(void **ctx)
{
    struct office *o = *ctx;
    struct doc d = filed("Motions/a.pdf"), e = listed("Inbox/b.pdf", REASON_NO_DATE);

    put_doc(o, ID, &d);
    put_doc(o, ID, &e);
    run(o);
    assert_int_equal(o->job.written, 6);
    o->job.now_ns += DAY / 2;
    run(o);
    assert_int_equal(o->job.written, 0);
}

static void only_cases_to_write_are_written(void **ctx)
{
    struct office *o = *ctx;

    o->job.cases[0].write = o->job.write_cabinet = false;
    run(o);
    assert_int_equal(o->job.written, 0);
}

static void own_names(void **ctx)
{
    (void)ctx;
    assert_true(publish_is_own_name("Index.html"));
    assert_true(publish_is_own_name("Index.csv"));
    assert_true(publish_is_own_name("Needs attention.txt"));
    assert_true(publish_is_own_name("How this works.html"));
    assert_false(publish_is_own_name("index (yours).html"));
    assert_false(publish_is_own_name("Case.txt"));
}

static struct csv_row csv_line(const char *csv, size_t n)
{
    size_t at = 0, line;
    struct csv_row row;

    assert_int_equal(csv_next(csv, strlen(csv), ',', &at, &line, &row), 1);
    for (; n > 0; n--) {
        csv_row_clear(&row);
        assert_int_equal(csv_next(csv, strlen(csv), ',', &at, &line, &row), 1);
    }
    return row;
}

static void the_table_has_a_bom_and_crlf(void **ctx)
{
    struct office *o = *ctx;
    struct doc d = filed("Motions/a.pdf");
    AUTO_FREE char *csv = NULL;

    put_doc(o, ID, &d);
    run(o);
    csv = file(o, "Smith_Divorce/Index.csv");
    assert_memory_equal(csv, "\xEF\xBB\xBF", 3);
    assert_string_equal(csv + strlen(csv) - 2, "\r\n");
    for (const char *p = strchr(csv, '\n'); p; p = strchr(p + 1, '\n'))
        assert_int_equal(p[-1], '\r');
}

/* What a document with these bytes says. */
static void put_content(struct office *o, const struct digest *digest)
{
    struct content c = {.status = CONTENT_PART, .pages = 3};
    struct error err = ERROR_INIT;

    c.flags = CONTENT_IS_PRIVILEGED | CONTENT_IS_SIGNED;
    content_set(&c.why, "content.part.size");
    content_set(&c.title, "=Title");
    content_set(&c.subject, "Re: <b>");
    content_set(&c.sender, "Ann");
    content_add(&c.recipients, "Bob");
    content_add(&c.recipients, "Eve");
    content_add(&c.attachments, "x.pdf");
    assert_int_equal(state_content_put(o->state, digest, &c, &err), 0);
    content_clear(&c);
}

static void the_table_has_every_column(void **ctx)
{
    const char *const said[] = {"=Title", "", "Re: <b>", "Ann", "Bob; Eve", "x.pdf", "3",
                                "page.yes", "", "", "page.yes", "", "", "",
                                "content.part.size"};
    struct office *o = *ctx;
    struct doc d = {.path = lit("Motions/a.pdf"),
                    .state = DOC_FILED,
                    .type = lit("Motion"),
                    .words = lit("to-stay"),
                    .date = lit("2026-03-02"),
                    .original = lit("scan.pdf"),
                    .filed_ns = NOW,
                    .kind = KIND_PDF,
                    .by_hand = true,
                    .stamp = {.size = 1234}};
    const char *const want[] = {"2026-03-02", "Motion",           "to-stay", "a.pdf",
                                "Motions",    "page.state.filed", "",        "",
                                "scan.pdf",   "2026-11-23 17:14", "1234",    "pdf"};
    AUTO_FREE char *csv = NULL;
    struct csv_row row;

    d.digest = digest_of("x", 1);
    put_doc(o, ID, &d);
    put_content(o, &d.digest);
    run(o);
    csv = file(o, "Smith_Divorce/Index.csv");
    row = csv_line(csv, 1);
    assert_int_equal(row.len, 32);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_string_equal(row.fields[i], want[i]);
    assert_int_equal(strlen(row.fields[12]), 64);
    assert_string_equal(row.fields[13], "1");
    assert_string_equal(row.fields[16], "page.yes");
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        assert_string_equal(row.fields[17 + i], said[i]);
    csv_row_clear(&row);
}

static void what_a_document_says_is_shown_with_it(void **ctx)
{
    struct office *o = *ctx;
    struct doc d = {.path = lit("a.pdf"), .state = DOC_INDEXED, .digest = digest_of("x", 1)};
    AUTO_FREE char *page = NULL;

    put_doc(o, ID, &d);
    put_content(o, &d.digest);
    run(o);
    page = file(o, "Smith_Divorce/Index.html");
    assert_non_null(strstr(page, "<div class=\"title\"><bdi>Re: &lt;b&gt;</bdi></div>"));
    assert_non_null(strstr(page, "from Ann"));
    assert_non_null(strstr(page, "page.csv.privileged"));
    assert_non_null(strstr(page, "content.part.size"));
    assert_null(strstr(page, "page.macros"));
    assert_null(strstr(page, "<b>"));
}

static void no_name_is_a_formula(void **ctx)
{
    struct office *o = *ctx;
    const char *const names[] = {"=1+1", "+1", "-1", "@x", "\tx", "a,b\"c", "a\nb", "a\xFF"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        AUTO_FREE char *path = xstrdup(names[i]);
        struct doc d = filed(path);

        put_doc(o, ID, &d);
    }
    run(o);
    assert_holds(o, "Smith_Divorce/Index.csv", "\"'=1+1\"");
    assert_holds(o, "Smith_Divorce/Index.csv", "\"'+1\"");
    assert_holds(o, "Smith_Divorce/Index.csv", "\"'-1\"");
    assert_holds(o, "Smith_Divorce/Index.csv", "\"'@x\"");
    assert_not_holds(o, "Smith_Divorce/Index.csv", ",=");
    assert_not_holds(o, "Smith_Divorce/Index.csv", ",\"=");
    assert_holds(o, "Smith_Divorce/Index.csv", "\"a,b\"\"c\"");
    assert_holds(o, "Smith_Divorce/Index.csv", "a\\xFF");
}

static void names_are_never_markup(void **ctx)
{
    struct office *o = *ctx;
    struct doc d = listed("Inbox/<script>alert(1)<!--.pdf", REASON_NO_DATE);

    d.sentence = d.help = d.original = d.type = d.words =
        lit("</script><img src=x onerror=alert(2)>");
    put_doc(o, ID, &d);
    free(o->job.cases[0].client);
    o->job.cases[0].client = xstrdup("<svg onload=alert(3)>");
    o->job.cases[0].hold = xstrdup("<i>");
    run(o);
    assert_not_holds(o, "Smith_Divorce/Index.html", "<script>alert");
    assert_not_holds(o, "Smith_Divorce/Index.html", "<img");
    assert_not_holds(o, "Smith_Divorce/Index.html", "<svg");
    assert_not_holds(o, "Smith_Divorce/Index.html", "<i>");
    assert_not_holds(o, "Index.html", "<svg");
}

static void what_should_not_be_opened_is_no_link(void **ctx)
{
    struct office *o = *ctx;
    struct doc a = listed("Inbox/a.pdf", REASON_NO_DATE);
    struct doc b = listed("Inbox/b.exe", REASON_PROGRAM);

    put_doc(o, ID, &a);
    put_doc(o, ID, &b);
    run(o);
    assert_holds(o, "Smith_Divorce/Index.html", "href=\"./Inbox/a.pdf\"");
    assert_holds(o, "Smith_Divorce/Index.html", "b.exe");
    assert_not_holds(o, "Smith_Divorce/Index.html", "href=\"./Inbox/b.exe\"");
}

static void count_lines(const char *text, size_t *lines)
{
    *lines = 0;
    for (const char *p = text; (p = strchr(p, '\n')); p++)
        ++*lines;
}

static void attention_is_listed_by_reason(void **ctx)
{
    struct office *o = *ctx;
    struct doc a = listed("Inbox/a.pdf", REASON_NO_DATE);
    struct doc b = listed("Inbox/b.pdf", REASON_OTHER_CASE);
    AUTO_FREE char *text = NULL;

    put_doc(o, ID, &a);
    put_doc(o, ID, &b);
    run(o);
    text = file(o, "Smith_Divorce/Needs attention.txt");
    assert_memory_equal(text, "\xEF\xBB\xBF", 3);
    assert_non_null(strstr(text, "Inbox/a.pdf"));
    assert_true(strstr(text, "Inbox/b.pdf") < strstr(text, "Inbox/a.pdf"));
    assert_non_null(strstr(text, "  > Do that.\r\n"));
}

static void attention_goes_away(void **ctx)
{
    struct office *o = *ctx;
    struct doc a = listed("Inbox/a.pdf", REASON_NO_DATE);
    struct error err = ERROR_INIT;

    put_doc(o, ID, &a);
    run(o);
    assert_holds(o, "Needs attention.txt", "Smith_Divorce: 1 thing");
    snprintf(a.case_id, sizeof a.case_id, "%s", ID);
    a.number = 1;
    a.state = DOC_FILED;
    a.reason = REASON_NONE;
    assert_int_equal(state_doc_put(o->state, &a, &err), 0);
    run(o);
    assert_absent(o, "Smith_Divorce/Needs attention.txt");
    assert_absent(o, "Needs attention.txt");
}

static void attention_has_at_most_40_lines(void **ctx)
{
    struct office *o = *ctx;
    size_t lines, shown = 0;
    AUTO_FREE char *text = NULL;
    char want[64];

    for (int i = 0; i < 200; i++) {
        AUTO_FREE char *path = xasprintf("Inbox/%03d.pdf", i);
        struct doc d = listed(path, i < 195 ? REASON_UNKNOWN_TYPE : REASON_NO_DATE);

        put_doc(o, ID, &d);
    }
    run(o);
    text = file(o, "Smith_Divorce/Needs attention.txt");
    count_lines(text, &lines);
    assert_in_range(lines, 35, 40);
    assert_non_null(strstr(text, "Inbox/195.pdf")); /* the small group is not crowded out */
    for (const char *p = text; (p = strstr(p, "Inbox/")); p++)
        shown++;
    snprintf(want, sizeof want, "and %zu more in Index.html", 200 - shown);
    assert_non_null(strstr(text, want));
    assert_holds(o, "Smith_Divorce/Index.html", "Inbox/194.pdf");
}

static void attention_with_every_reason_keeps_to_40_lines(void **ctx)
{
    struct office *o = *ctx;
    size_t lines;
    AUTO_FREE char *text = NULL;

    for (int r = REASON_NONE + 1; r < REASON_FIRST_REMARK; r++)
        for (int k = 0; k < 3; k++) {
            AUTO_FREE char *path = xasprintf("Inbox/%02d-%d.pdf", r, k);
            AUTO_FREE char *help = xasprintf("help %d", k % (r % 3 + 1));
            struct doc d = listed(path, (enum reason)r);

            d.help = help;
            put_doc(o, ID, &d);
        }
    run(o);
    text = file(o, "Smith_Divorce/Needs attention.txt");
    count_lines(text, &lines);
    assert_in_range(lines, 30, 40);
    assert_non_null(strstr(text, "group.other-case"));
}

static void attention_of_the_cabinet_keeps_to_40_lines(void **ctx)
{
    struct office *o = *ctx;
    struct doc d = listed("Inbox/a.pdf", REASON_NO_DATE);
    AUTO_FREE char *text = NULL;
    size_t lines;

    o->job.cases = xreallocarray(o->job.cases, 60, sizeof *o->job.cases);
    for (unsigned i = 1; i < 60; i++) {
        AUTO_FREE char *id = xasprintf("%032u", i), *path = xasprintf("Case%02u_PI", i);

        put_case(o, i, id, path);
        put_doc(o, id, &d);
    }
    for (int i = 0; i < 100; i++) {
        AUTO_FREE char *path = xasprintf("Inbox/%03d.pdf", i);
        struct doc e = listed(path, REASON_WHICH_CASE);

        put_doc(o, "", &e);
    }
    run(o);
    text = file(o, "Needs attention.txt");
    count_lines(text, &lines);
    assert_in_range(lines, 35, 40);
    assert_non_null(strstr(text, "Case01_PI: 1 thing"));
    assert_non_null(strstr(text, " more cases"));
}

static void attention_shows_controls_as_escapes(void **ctx)
{
    struct office *o = *ctx;
    struct doc d = listed("Inbox/a\r\nAll is well.pdf", REASON_NO_DATE);

    put_doc(o, ID, &d);
    run(o);
    assert_holds(o, "Smith_Divorce/Needs attention.txt", "Inbox/a\\x0D\\x0AAll is well.pdf");
}

static void restrict_second(struct office *o)
{
    struct doc d = listed("Inbox/hush.pdf", REASON_NO_DATE), f = filed("Motions/mumble.pdf");

    put_case(o, 1, ID2, "Secret_Merger");
    o->job.cases[1].restricted = true;
    put_doc(o, ID2, &d);
    put_doc(o, ID2, &f);
}

static void restricted_cases_are_only_counted(void **ctx)
{
    struct office *o = *ctx;
    const char *const pages[] = {"Index.html", "Needs attention.txt"};
    const char *const words[] = {"Secret", "hush", "mumble", ID2};

    restrict_second(o);
    o->job.notices = xcalloc(2, sizeof *o->job.notices);
    o->job.notices_len = 2;
    o->job.notices[0] = (struct notice){REASON_CARD, xstrdup("Secret_Merger/Case.txt"),
                                        xstrdup("line 3"), xstrdup("")};
    o->job.notices[1] = (struct notice){REASON_COPIED_CASE, xstrdup("Copy"),
                                        xstrdup("A copy of Secret_Merger."), xstrdup("")};
    run(o);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            assert_not_holds(o, pages[i], words[k]);
    assert_holds(o, "Index.html", "1 restricted matter");
    assert_holds(o, "Secret_Merger/Index.html", "mumble");
}

static void office_sentences_do_not_name_restricted_cases(void **ctx)
{
    struct office *o = *ctx;
    struct doc d = listed("Inbox/x.pdf", REASON_WHICH_CASE);

    restrict_second(o);
    d.sentence = lit("Perhaps Secret_Merger.");
    put_doc(o, "", &d);
    run(o);
    assert_not_holds(o, "Index.html", "Secret");
    assert_not_holds(o, "Needs attention.txt", "Secret");
    assert_holds(o, "Needs attention.txt", "a restricted matter");
}

static void filed_lately_is_14_days(void **ctx)
{
    struct office *o = *ctx;
    struct doc d = filed("Motions/a.pdf");

    d.original = lit("scan0001.pdf");
    d.filed_ns = NOW - 13 * DAY;
    put_doc(o, ID, &d);
    run(o);
    assert_holds(o, "Smith_Divorce/Index.html", "page.lately-caption");
    assert_holds(o, "Index.html", "scan0001.pdf");
    o->job.now_ns += 2 * DAY;
    run(o);
    assert_not_holds(o, "Smith_Divorce/Index.html", "page.lately-caption");
    assert_not_holds(o, "Index.html", "scan0001.pdf");
}

static void filed_lately_is_at_most_50(void **ctx)
{
    struct office *o = *ctx;

    for (int i = 0; i < 120; i++) {
        AUTO_FREE char *path = xasprintf("Motions/%03d.pdf", i);
        struct doc d = filed(path);

        d.filed_ns = NOW - DAY + i * NS_PER_S;
        put_doc(o, ID, &d);
    }
    run(o);
    assert_holds(o, "Index.html", "Motions/070.pdf");
    assert_not_holds(o, "Index.html", "Motions/069.pdf");
}

static void remarks_are_shown_for_14_days(void **ctx)
{
    struct office *o = *ctx;
    struct doc d = filed("Motions/a.pdf");

    d.reason = REASON_NEW_VERSION;
    d.sentence = lit("Saved again.");
    d.changed_ns = NOW - 13 * DAY;
    put_doc(o, ID, &d);
    run(o);
    assert_holds(o, "Smith_Divorce/Index.html", "Saved again.");
    o->job.now_ns += 2 * DAY;
    run(o);
    assert_not_holds(o, "Smith_Divorce/Index.html", "Saved again.");
    assert_absent(o, "Smith_Divorce/Needs attention.txt");
}

static void suggestions_show_the_name(void **ctx)
{
    struct office *o = *ctx;
    struct doc d = {.path = lit("old/scan.pdf"),
                    .state = DOC_INDEXED,
                    .reason = REASON_SUGGESTED,
                    .sentence = lit("suggested"),
                    .suggested = lit("Motions/Smith_Divorce_Motion_2026-03-02.pdf")};

    o->job.suggest = true;
    put_doc(o, ID, &d);
    run(o);
    assert_holds(o, "Smith_Divorce/Index.html", "would be Motions/Smith_Divorce_Motion_2026");
    assert_holds(o, "Smith_Divorce/Index.csv", "Motions/Smith_Divorce_Motion_2026-03-02.pdf");
    assert_holds(o, "How this works.html", "page.how.suggest");
}

static void key_documents_of_the_card_are_marked(void **ctx)
{
    struct office *o = *ctx;
    struct doc a = filed("Motions/A.pdf"), b = filed("Motions/b.pdf"), c = filed("Notes/c.txt");

    o->job.cases[0].key_documents = xcalloc(3, sizeof(char *));
    o->job.cases[0].key_documents[0] = xstrdup("a.pdf");
    o->job.cases[0].key_documents[1] = xstrdup("notes/*");
    put_doc(o, ID, &a);
    put_doc(o, ID, &b);
    put_doc(o, ID, &c);
    run(o);
    {
        AUTO_FREE char *html = file(o, "Smith_Divorce/Index.html");
        size_t n = 0;

        for (const char *p = html; (p = strstr(p, "data-r=\"0\"")); p++)
            n++;
        assert_int_equal(n, 2);
    }
}

static void what_is_gone_is_not_shown(void **ctx)
{
    struct office *o = *ctx;
    struct doc a = listed("Inbox/gone.pdf", REASON_NO_DATE);
    struct doc b = listed("Inbox/missed.pdf", REASON_MISSING);

    a.state = b.state = DOC_GONE;
    put_doc(o, ID, &a);
    put_doc(o, ID, &b);
    run(o);
    assert_not_holds(o, "Smith_Divorce/Index.html", "gone.pdf");
    assert_holds(o, "Smith_Divorce/Needs attention.txt", "missed.pdf");
    assert_not_holds(o, "Smith_Divorce/Needs attention.txt", "gone.pdf");
}

static void a_persons_page_is_told(void **ctx)
{
    struct office *o = *ctx;
    int fd;

    fd = openat(o->job.root, "Smith_Divorce/Index.csv", O_WRONLY | O_CREAT, 0644);
    assert_int_equal(io_write_all(fd, "mine", 4), 0);
    close(fd);
    run(o);
    assert_int_equal(o->job.set_aside_len, 1);
    assert_int_equal(o->job.set_aside[0].reason, REASON_OWN_FILE);
    assert_string_equal(o->job.set_aside[0].path, "Smith_Divorce/Index (yours).csv");
    assert_string_equal(o->job.set_aside[0].sentence, "Index.csv set aside as Index (yours).csv");
    assert_holds(o, "Smith_Divorce/Index (yours).csv", "mine");
}

static void a_case_that_vanished_spoils_no_other(void **ctx)
{
    struct office *o = *ctx;

    put_case(o, 1, ID2, "Jones_PI");
    assert_int_equal(unlinkat(o->job.root, "Smith_Divorce", AT_REMOVEDIR), 0);
    assert_int_equal(publish_run(&o->job), -1);
    assert_non_null(strstr(o->job.error.text, "Smith_Divorce"));
    assert_holds(o, "Jones_PI/Index.csv", "page.csv.date");
}

static void every_page_has_a_policy(void **ctx)
{
    struct office *o = *ctx;
    const char *const pages[] = {"Index.html", "How this works.html", "Smith_Divorce/Index.html"};

    run(o);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        assert_holds(o, pages[i], "default-src 'none'; style-src 'sha256-");
        assert_holds(o, pages[i], "; base-uri 'none'; form-action 'none'\">");
        assert_not_holds(o, pages[i], " style=");
        assert_not_holds(o, pages[i], " onclick=");
    }
}

/* Every sentence of the pages is in the language file. */
static void the_language_file_has_every_sentence(void **ctx)
{
    struct error err = ERROR_INIT;
    struct lang *lang;
    FILE *f;
    char key[128];
    size_t n = 0;

    (void)ctx;
    lang = lang_load("rules/language/en.yaml", &err);
    f = popen("grep -rhoE '\"(page|csv)\\.[a-z0-9.-]+\"' organizer/publish | tr -d '\"' | sed "
              "'s,^csv,page.csv,' | sort -u",
              "r");
    if (!lang || !f) {
        print_message("not run from the root of the project: skipped\n");
        lang_free(lang);
        skip();
    }
    while (fgets(key, sizeof key, f)) {
        AUTO_FREE char *many = NULL;

        key[strcspn(key, "\n")] = '\0';
        many = xasprintf("%s.many", key);
        n++;
        if (strcmp(lang_get(lang, key), key) == 0 && strcmp(lang_get(lang, many), many) == 0)
            fail_msg("rules/language/en.yaml lacks %s", key);
    }
    assert_in_range(n, 50, 500);
    pclose(f);
    lang_free(lang);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_empty_case_has_its_pages),
        T(nothing_new_writes_nothing),
        T(only_cases_to_write_are_written),
        cmocka_unit_test(own_names),
        T(the_table_has_a_bom_and_crlf),
        T(the_table_has_every_column),
        T(what_a_document_says_is_shown_with_it),
        T(no_name_is_a_formula),
        T(names_are_never_markup),
        T(what_should_not_be_opened_is_no_link),
        T(attention_is_listed_by_reason),
        T(attention_goes_away),
        T(attention_has_at_most_40_lines),
        T(attention_with_every_reason_keeps_to_40_lines),
        T(attention_of_the_cabinet_keeps_to_40_lines),
        T(attention_shows_controls_as_escapes),
        T(restricted_cases_are_only_counted),
        T(office_sentences_do_not_name_restricted_cases),
        T(filed_lately_is_14_days),
        T(filed_lately_is_at_most_50),
        T(remarks_are_shown_for_14_days),
        T(suggestions_show_the_name),
        T(key_documents_of_the_card_are_marked),
        T(what_is_gone_is_not_shown),
        T(a_persons_page_is_told),
        T(a_case_that_vanished_spoils_no_other),
        T(every_page_has_a_policy),
        cmocka_unit_test(the_language_file_has_every_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
