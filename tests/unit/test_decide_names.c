/* Properties of decide() over thousands of names: a name made is a fixed point, legal, and fits. */
#include "decide_world.h"

#include <jansson.h>
#include <time.h>

#include "base/utf8.h"
#include "decide/name.h"

static const char *const clients[] = {
    "Smith",      "Jones", "Okafor",  "Abd-al-Rahman", "Singh",        "Nguyễn",        "Müller",
    "Chen",       "Order", "O'Brien", "田中",          "van der Berg", "Abd al-Rahman", "García",
    "De La Cruz", "",      "Kim",     "Whitfield",
};
static const char *const types[] = {"Motion",          "motion to dismiss",
                                    "Letter",          "ltr",
                                    "Order",           "Exhibit A",
                                    "Exhibit 12",      "depo",
                                    "Interrogatories", "zzz",
                                    "last will",       "contract",
                                    "MotionToDismiss", "brief",
                                    "order letter"};
static const char *const dates[] = {
    "2026-03-02", "20250914",   "3-2-26",     "03.04.2025", "2 Mar 2026", "March 2nd, 2026", "",
    "2026-02-30", "2031-01-01", "1949-05-05", "2026_03_02", "10.04.20",   "20250914090402",
};
static const char *const extras[] = {"",
                                     "FINAL v2",
                                     "(signed)",
                                     "(1)",
                                     "signed copy",
                                     "RE",
                                     "Copy of",
                                     "v. Globex LLC",
                                     "granting fees",
                                     "1-25-cv-00777",
                                     "Received",
                                     "a.b.c",
                                     "Re: what?",
                                     "été & co",
                                     "--",
                                     "...",
                                     "No. 5",
                                     "DRAFT",
                                     "x_y_z",
                                     "#12 100%",
                                     "it's",
                                     "Divorce",
                                     "PI"};
static const char *const gaps[] = {" ", "_", " - ", "-", "__", "  ", ". "};
static const char *const exts[] = {".pdf", ".PDF", "", ".Pdf", ".docx", " .pdf"};

static uint64_t seed = 88172645463325252U;

static size_t chance(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % n);
}

#define ONE_OF(list) (list)[chance(sizeof(list) / sizeof *(list))]

static char *messy_name(void)
{
    const char *parts[5] = {ONE_OF(clients), ONE_OF(types), ONE_OF(dates), ONE_OF(extras),
                            ONE_OF(extras)};
    const char *gap = ONE_OF(gaps);
    struct str out = STR_INIT;

    for (size_t i = 0; i < 5; i++) {
        size_t k = i + chance(5 - i);
        const char *swap = parts[i];

        parts[i] = parts[k];
        parts[k] = swap;
        str_addf(&out, "%s%s", i ? gap : "", parts[i]);
    }
    if (chance(4) == 0) {
        char *prefixed = xasprintf(
            "%s_%s", ONE_OF(((const char *const[]){"Smith_Divorce", "Jones_PersonalInjury"})),
            str_c(&out));

        str_clear(&out);
        str_add(&out, prefixed);
        free(prefixed);
    }
    str_add(&out, ONE_OF(exts));
    return str_detach(&out);
}

/* The name that was made, dropped again and lying where it was filed. */
static void is_fixed_point(const char *from, const struct case_facts *home)
{
    AUTO_FREE char *name = xstrdup(made.name);
    AUTO_FREE char *folder = xstrdup(made.folder);
    AUTO_FREE char *serial = name_serial(name, 2);

    facts.name = name;
    facts.home = home;
    facts.zone = ZONE_CASE_INBOX;
    facts.folder = "Inbox";
    now_decide();
    if (made.action != ACTION_FILE || strcmp(made.name, name) != 0 ||
        strcmp(made.folder, folder) != 0)
        print_error("\"%s\" became \"%s\", then %s \"%s\" (%s)\n", from, name,
                    reason_code(made.reason), made.name ? made.name : "", made.sentence);
    assert_int_equal(made.action, ACTION_FILE);
    assert_string_equal(made.name, name);
    assert_string_equal(made.folder, folder);
    in_folder(folder);
    now_decide();
    assert_int_equal(made.action, ACTION_INDEX);
    assert_int_equal(made.reason, REASON_NONE);
    facts.name = serial;
    now_decide();
    assert_int_equal(made.action, ACTION_INDEX);
}

static void is_good(const char *from)
{
    const char *wrong = name_illegal(made.name);
    size_t chars;

    if (wrong)
        print_error("\"%s\" became \"%s\", which %s\n", from, made.name, wrong);
    assert_null(wrong);
    assert_null(strchr(made.name, ' '));
    assert_true(strlen(made.name) + 4 <= 255);
    chars = utf8_count(made.target->path, strlen(made.target->path)) + strlen(made.folder) +
            utf8_count(made.name, strlen(made.name)) + 2 + 4;
    assert_true(chars <= policy.max_path);
    assert_memory_equal(made.name, made.target->prefix, strlen(made.target->prefix));
}

static void a_name_made_is_a_fixed_point(void **state)
{
    size_t filed = 0;

    (void)state;
    for (int i = 0; i < 6000; i++) {
        AUTO_FREE char *name = messy_name();
        static const int homes[] = {SMITH, JONES, OKAFOR, ABDAL, SINGH, NGUYEN, ORDER, -1};
        int home = ONE_OF(homes);

        a_document(name, home);
        policy.date_order = (enum date_order)chance(4);
        policy.max_path = chance(3) ? 200 : 90;
        if (strstr(name, ".docx"))
            facts.kind = KIND_DOCX;
        now_decide();
        if (made.action != ACTION_FILE) {
            assert_true(made.action == ACTION_LIST);
            continue;
        }
        filed++;
        is_good(name);
        is_fixed_point(name, made.target);
    }
    assert_true(filed > 1000);
}

static void random_bytes_get_an_answer(void **state)
{
    static const char bytes[] = "aZ09 _-.()\xc3\xa9\xe2\x80\xae\xff\n\"<'&~$\xcc\x88";

    (void)state;
    for (int i = 0; i < 3000; i++) {
        char name[64];
        size_t n = 1 + chance(sizeof name - 2);

        for (size_t k = 0; k < n; k++)
            name[k] = bytes[chance(sizeof bytes - 1)];
        name[n] = '\0';
        a_document(name, i % 2 ? SMITH : -1);
        now_decide();
        assert_non_null(made.sentence);
        if (made.action == ACTION_FILE)
            is_good(name);
    }
}

static void naughty_strings_get_an_answer(void **state)
{
    json_t *list = json_load_file(SHARED "/samples/names/blns.json", 0, NULL);
    size_t i;
    json_t *item;

    (void)state;
    if (!list) {
        print_message("skipped: no " SHARED "/samples/names/blns.json\n");
        skip();
    }
    json_array_foreach(list, i, item)
    {
        AUTO_FREE char *base = xstrdup(json_string_value(item));
        AUTO_FREE char *name = NULL;

        for (char *p = base; *p; p++)
            if (*p == '/')
                *p = ':';
        if (strlen(base) > 200)
            base[200] = '\0';
        name = xasprintf("%s letter 2026-03-02.pdf", base);
        for (int zone = -1; zone <= SMITH; zone++) {
            a_document(name, zone);
            now_decide();
            assert_true(made.action == ACTION_FILE || made.action == ACTION_LIST ||
                        made.action == ACTION_INDEX);
            if (made.action == ACTION_FILE) {
                is_good(name);
                is_fixed_point(name, made.target);
            }
        }
    }
    json_decref(list);
}

/* With the rules that are shipped: messy names file as they should, under no wrong type, and every
 * sentence is there and has no holes. */
static void the_shipped_rules_file_messy_names(void **state)
{
    static const struct {
        int in;
        const char *name, *folder, *filed;
    } t[] = {
        {SINGH, "Singh Engagement Letter 2022-04-03.PDF", "Case Information",
         "Singh_Contract_EngagementLetter_2022-04-03.pdf"},
        {SMITH, "Motion to Dismiss FINAL v2 2026-03-02.pdf", "Motions",
         "Smith_Divorce_MotionToDismiss-FINAL-v2_2026-03-02.pdf"},
        {SMITH, "order granting fees 2026-03-02.pdf", "Court Papers",
         "Smith_Divorce_Order-granting-fees_2026-03-02.pdf"},
        {ABDAL, "Abdal-Rahman_IP_Subpoena_20190801.Pdf", "Discovery",
         "Abd-al-Rahman_IntellectualProperty_Subpoena_2019-08-01.pdf"},
        {SMITH, "Smith_Divorce_ExhibitA_2019-08-01.pdf", "Evidence",
         "Smith_Divorce_Exhibit-A_2019-08-01.pdf"},
        {OKAFOR, "Okafor v. Globex LLC Interrogatories March 2nd, 2026.pdf", "Discovery",
         "Okafor_Litigation_Interrogatories-v.-Globex-LLC_2026-03-02.pdf"},
        {JONES, "Jones PI letter 3-2-26.pdf", "Correspondence",
         "Jones_PersonalInjury_Letter_2026-03-02.pdf"},
        {SMITH, "scan0001.pdf", NULL, NULL},
        {SMITH, "letter 2026-02-30.pdf", NULL, NULL},
        {SMITH, "letter 2027-02-03.pdf", NULL, NULL},
        {SMITH, "letter 2026-03-02 and 2026-03-04.pdf", NULL, NULL},
        {SMITH, "Jones letter 2026-03-04.pdf", NULL, NULL},
        {SMITH, "lettr 2026-03-04.pdf", NULL, NULL},
        {SMITH, "\xff.pdf", NULL, NULL},
        {CLOSED, "letter 2026-03-04.pdf", NULL, NULL},
        {HELD, "letter 2026-03-04.pdf", NULL, NULL},
        {-1, "letter 2026-03-04.pdf", NULL, NULL},
        {-1, "Jones letter 2026-03-04.pdf", NULL, NULL},
        {-1, "Brown_Probate_Letter_2026-03-04.pdf", NULL, NULL},
        {-1, "Brown_Probte_Letter_2026-03-04.pdf", NULL, NULL},
        {SMITH, "letter 2026-03-04.exe", NULL, NULL},
        {SMITH, "letter 2026-03-04.docx", NULL, NULL},
    };
    struct error err = ERROR_INIT;
    AUTO_STR struct str text = STR_INIT;
    struct problems p = {.text = &text};
    struct lang *english = lang_load("rules/language/en.yaml", &err);
    struct rules *shipped = english ? rules_load("rules", -1, english, &p) : NULL;

    (void)state;
    if (!shipped) {
        print_message("skipped: the shipped rules are not below this folder\n");
        lang_free(english);
        skip();
    }
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        a_document(t[i].name, t[i].in);
        decide(shipped, english, &policy, &facts, false, &made);
        if (!t[i].filed) {
            assert_int_equal(made.action, ACTION_LIST);
            assert_null(strpbrk(made.sentence, "{}"));
            assert_null(strpbrk(made.help, "{}"));
            assert_non_null(strchr(made.sentence, ' '));
            assert_non_null(strchr(made.help, ' '));
            continue;
        }
        if (made.action != ACTION_FILE || strcmp(made.name, t[i].filed) != 0)
            print_error("%s: %s %s\n", t[i].name, made.sentence, made.name ? made.name : "");
        assert_int_equal(made.action, ACTION_FILE);
        assert_string_equal(made.folder, t[i].folder);
        assert_string_equal(made.name, t[i].filed);
    }
    decision_clear(&made);
    rules_free(shipped);
    lang_free(english);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A thousand cases cost a document no more than one: generous, for slow machines. */
static void a_thousand_cases_cost_no_more_than_a_few(void **state)
{
    enum { MANY = 1000, ROUNDS = 300 };
    struct case_facts *many = xcalloc(MANY, sizeof *many);
    const struct case_facts **list = xcalloc(MANY, sizeof *list);
    struct roster roster = {list, MANY, NULL};
    struct router *router;
    int64_t took[2];

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        char *prefix = xasprintf("Client%zu_Divorce", i);

        many[i] = (struct case_facts){.path = prefix,
                                      .prefix = prefix,
                                      .client = xasprintf("Client%zu", i),
                                      .case_type = "Divorce"};
        list[i] = &many[i];
    }
    router = router_new(&roster);
    roster.router = router;
    for (int large = 0; large < 2; large++) {
        int64_t start;

        a_document("Motion to Dismiss FINAL v2 2026-03-02.pdf", SMITH);
        if (large)
            facts.roster = &roster;
        start = now_ns();
        for (int i = 0; i < ROUNDS; i++)
            now_decide();
        took[large] = (now_ns() - start) / ROUNDS;
    }
    print_message("a decision: %ld us with %d cases, %ld us with %d\n", (long)took[0] / 1000, CASES,
                  (long)took[1] / 1000, MANY);
    assert_true(took[1] < took[0] * 3 + 20000);
    router_free(router);
    for (size_t i = 0; i < MANY; i++) {
        free((char *)(uintptr_t)many[i].path);
        free((char *)(uintptr_t)many[i].client);
    }
    free(many);
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_made_is_a_fixed_point),
        cmocka_unit_test(random_bytes_get_an_answer),
        cmocka_unit_test(naughty_strings_get_an_answer),
        cmocka_unit_test(the_shipped_rules_file_messy_names),
        cmocka_unit_test(a_thousand_cases_cost_no_more_than_a_few),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
