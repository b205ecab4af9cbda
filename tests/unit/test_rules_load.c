/* Rules that are wrong, and the office's own before the shipped ones. */
#include <sys/stat.h>

#include "decide/heading.h"
#include "rules_help.h"

static const struct facts plain = {.name = "a.pdf", .folder = "Inbox", .kind = KIND_PDF};

/* The office's file is refused, and the problems say so. */
static void expect_error(const char *file, const char *text, const char *says)
{
    struct office o;

    office_open(&o);
    office_write(&o, file, text);
    assert_null(office_load(&o));
    if (!strstr(str_c(&o.said), says))
        fail_msg("expected %s, got %s", says, str_c(&o.said));
    office_close(&o);
}

static void expect_warning(const char *file, const char *text, const char *says)
{
    struct office o;

    office_open(&o);
    office_write(&o, file, text);
    assert_non_null(office_load(&o));
    if (!strstr(str_c(&o.said), says))
        fail_msg("expected %s, got %s", says, str_c(&o.said));
    assert_true(o.problems.warnings > 0);
    office_close(&o);
}

#define TYPE(rest) "folder: Motions\ntypes:\n  - type: Foo\n" rest

static void bad_yaml_says_where(void **state)
{
    (void)state;
    expect_error("noise.yaml", "words: [a\npatterns: b\n", ".organizer/rules/noise.yaml:2:");
    expect_error("as-is.yaml", "\tas_is:\n", "as-is.yaml:1:");
}

static void unknown_keys_say_where_and_what_is_known(void **state)
{
    (void)state;
    expect_error("types/a.yaml", TYPE("    colr: red\n"),
                 "types/a.yaml:4:5: unknown key \"colr\"; known here: type, adds_to");
    expect_error("as-is.yaml", "as_is:\n  - what: x\n    when: {nme: y}\n",
                 "as-is.yaml:3:12: unknown key \"nme\"");
    expect_error("types/a.yaml", TYPE("    type: Bar\n"), "given twice");
}

static void bad_patterns_say_the_column(void **state)
{
    (void)state;
    expect_error("noise.yaml", "words: ['abc(']\n", "noise.yaml:1:14: bad pattern");
    expect_error("noise.yaml", "words: [abc(]\n", "noise.yaml:1:13: bad pattern");
}

static void a_pattern_that_runs_away_is_an_error(void **state)
{
    (void)state;
    expect_error("noise.yaml", "words: ['(a|aa)+$']\n", "noise.yaml:1:9: this pattern runs away");
    expect_error("as-is.yaml", "as_is:\n  - what: x\n    when: {name: '^(?:[a-z0-9 ]+-?)*\\$'}\n",
                 "as-is.yaml:3:18: this pattern runs away");
}

static void wrong_values_are_named(void **state)
{
    (void)state;
    expect_error("types/a.yaml", TYPE("    colour: red\n"), "4:13: expected a colour");
    expect_error("types/a.yaml", TYPE("    relevance: high\n"), "expected key, supporting");
    expect_error("types/a.yaml", TYPE("    words: mtn\n"), "4:12: expected a list for words");
    expect_error("types/a.yaml", TYPE("    words: ['--']\n"), "expected 1 to 12 words");
    expect_error("types/a.yaml", TYPE("    about_others: maybe\n"), "expected yes or no");
    expect_error("types/a.yaml", TYPE("    when: {size: big}\n"), "expected a size");
    expect_error("types/a.yaml", TYPE("    when: {all: []}\n"), "all is empty");
    expect_error("types/a.yaml", TYPE("    when: {}\n"), "expected a condition");
    expect_error("types/a.yaml", "types:\n  - type: Foo\n", "type Foo has no folder");
    expect_error("types/a.yaml", "folder: Motoins\ntypes: []\n", "did you mean \"Motions\"?");
    expect_error("types/a.yaml", "folder: a/b\ntypes: []\n", "is no name for a folder");
    expect_error("types/a.yaml", "types:\n  - words: [x]\n", "expected \"type: Name\" or");
    expect_error("types/a.yaml", "types:\n  - adds_to: Nothing\n    words: [x]\n",
                 "a.yaml:3:13: words for an unknown type \"Nothing\"");
    expect_error("ignored.yaml", "ignored:\n  groups:\n    - files: ['*']\n",
                 "would match every name");
    expect_error("case-types.yaml", "case_types:\n  - meaning: x\n", "expected \"name: CaseType\"");
}

static void conditions_nested_without_end_are_refused(void **state)
{
    (void)state;
    expect_error("as-is.yaml", "as_is:\n  - what: x\n    when: &a {not: *a}\n",
                 "nested too deeply");
}

static void doubles_in_one_place_are_errors(void **state)
{
    (void)state;
    expect_error("types/a.yaml", TYPE("  - type: foo\n"), "is there already");
    expect_error("case-types.yaml",
                 "case_types:\n  - name: A1\n    aliases: [X]\n  - name: B1\n    aliases: [x]\n",
                 "means A1 already");
}

static void names_the_convention_would_not_accept_are_errors(void **state)
{
    (void)state;
    expect_error("types/a.yaml", "folder: Motions\ntypes:\n  - type: Foo_Bar\n",
                 "which the convention does not accept");
    expect_error("types/a.yaml", "folder: Motions\ntypes:\n  - type: Foo-Bar\n",
                 "reads back as something else");
    expect_error("case-types.yaml", "case_types:\n  - name: A_B\n", "does not accept");
}

static void a_convention_that_does_not_read_what_it_makes_is_an_error(void **state)
{
    (void)state;
    expect_error(
        "conventions.yaml",
        "conventions:\n"
        "  - pattern: '^(?<client>[^_]+)_(?<case_type>[^_]+)_(?<type>[^_]+)_(?<date>\\d+)$'\n"
        "    template: '{client}_{case_type}_{type}_{date}'\n",
        "which the convention");
    expect_error("conventions.yaml", "conventions:\n  - pattern: 'x'\n    template: '{client}'\n",
                 "has no group (?<client>");
    expect_error("conventions.yaml",
                 "conventions:\n  - pattern: 'x'\n    template: '{nothing}[{date}'\n",
                 "expected a template");
}

/* Not caught by the trial at loading: the name that makes it run away cannot be foreseen. */
static void a_pattern_that_runs_away_later_leaves_the_name_alone(void **state)
{
    struct office o;
    char name[256];
    struct facts f = {.name = name, .folder = "", .kind = KIND_PDF};

    (void)state;
    office_open(&o);
    office_write(&o, "as-is.yaml", "as_is:\n  - what: x\n    when: {name: '^(?:q|qq)+$'}\n");
    office_write(&o, "types/a.yaml", TYPE("    when: {name: '^(?:q|qq)+$'}\n"));
    if (!office_load(&o))
        fail_msg("%s", str_c(&o.said));
    memset(name, 'q', 200);
    memcpy(name + 200, "!", 2);
    assert_string_equal(rules_as_is(o.rules, &f, NULL), "as-is.yaml:2 of the office");
    assert_string_equal(type_of(o.rules, &f, "x"), "cannot tell");
    office_close(&o);
}

static void all_problems_come_in_one_run(void **state)
{
    struct office o;

    (void)state;
    office_open(&o);
    office_write(&o, "noise.yaml", "words: ['(']\n");
    office_write(&o, "types/a.yaml", TYPE("    colour: red\n    relevance: x\n"));
    office_write(&o, "types/b.yaml", "nonsense: yes\n");
    assert_null(office_load(&o));
    assert_int_equal(o.problems.errors, 4);
    assert_non_null(strstr(str_c(&o.said), "noise.yaml:1:"));
    assert_non_null(strstr(str_c(&o.said), "a.yaml:4:"));
    assert_non_null(strstr(str_c(&o.said), "a.yaml:5:"));
    assert_non_null(strstr(str_c(&o.said), "b.yaml:1:1"));
    office_close(&o);
}

static void rules_that_never_get_their_turn_are_told(void **state)
{
    (void)state;
    expect_warning("as-is.yaml",
                   "as_is:\n  - what: a\n    when: {extension: zzz}\n"
                   "  - what: b\n    when: {extension: zzz}\n",
                   "as-is.yaml:4 of the office: never gets its turn");
    expect_warning("as-is.yaml", "as_is:\n  - what: a\n    when: {name: ''}\n",
                   "matches every document");
    expect_warning("ignored.yaml", "ignored:\n  groups:\n    - files: ['*.qq', '*.qq']\n",
                   "the same stands at");
    expect_warning("types/a.yaml", TYPE("    words: [x1, x2]\n  - type: Bar\n    words: [x1]\n"),
                   "is also a word of another type");
    expect_warning("types/a.yaml", TYPE(""), "has no example");
}

static void the_offices_own_types_come_first(void **state)
{
    struct office o;

    (void)state;
    office_open(&o);
    office_write(&o, "types/a.yaml",
                 "folder: Medical\ntypes:\n  - type: ClientLetter\n    words: [letter]\n"
                 "  - type: Motion\n    words: [zzz]\n");
    assert_non_null(office_load(&o));
    assert_string_equal(type_of(o.rules, &plain, "letter"), "ClientLetter");
    assert_string_equal(type_of(o.rules, &plain, "ltr"), "Letter");
    assert_string_equal(rules_doc_type(o.rules, "motion")->folder, "Medical");
    assert_string_equal(rules_doc_type(o.rules, "motion")->where, "a.yaml:5 of the office");
    assert_string_equal(type_of(o.rules, &plain, "zzz"), "Motion");
    assert_string_equal(type_of(o.rules, &plain, "mtn"), "none");
    assert_true(rules_is_standard_folder(o.rules, "Medical"));
    office_close(&o);
}

static void the_office_can_add_words_to_a_shipped_type(void **state)
{
    struct office o;
    struct type_match m[2];

    (void)state;
    office_open(&o);
    office_write(&o, "types/a.yaml", "types:\n  - adds_to: motion\n    words: [plea paper]\n");
    if (!office_load(&o))
        fail_msg("%s", str_c(&o.said));
    assert_int_equal(rules_match_type(o.rules, &plain, "Plea Papers", m, 2, NULL), 1);
    assert_string_equal(m[0].type->name, "Motion");
    assert_string_equal(m[0].where, "a.yaml:3 of the office");
    assert_string_equal(type_of(o.rules, &plain, "mtn"), "Motion");
    office_close(&o);
}

static void the_offices_convention_makes_names(void **state)
{
    struct office o;
    struct name_parts p = {.client = (char *)(uintptr_t) "Smith",
                           .case_type = (char *)(uintptr_t) "Divorce",
                           .type = (char *)(uintptr_t) "Motion",
                           .date = (char *)(uintptr_t) "2026-03-02"};
    char *name;

    (void)state;
    office_open(&o);
    office_write(
        &o, "conventions.yaml",
        "conventions:\n"
        "  - pattern: '^(?<date>\\d{4}-\\d\\d-\\d\\d) (?<client>[^ ]+) (?<case_type>[^ ]+) "
        "(?<type>[^ -]+)(?:-(?<words>[^ ]+))?(?: (?<serial>\\d+))?(?:\\.(?<ext>\\w+))?$'\n"
        "    template: '{date} {client} {case_type} {type}[-{words}][ {serial}][.{ext}]'\n");
    if (!office_load(&o))
        fail_msg("%s", str_c(&o.said));
    name = rules_make_name(o.rules, &p);
    assert_string_equal(name, "2026-03-02 Smith Divorce Motion");
    free(name);
    assert_true(rules_parse_name(o.rules, "Smith_Divorce_Motion_2026-03-02.pdf", &p));
    name_parts_clear(&p);
    office_close(&o);
}

static void empty_files_and_missing_ones_are_fine(void **state)
{
    struct office o;

    (void)state;
    office_open(&o);
    office_write(&o, "noise.yaml", "# nothing yet\n");
    office_write(&o, "types/a.yaml", "");
    assert_non_null(office_load(&o));
    office_close(&o);
}

static void missing_shipped_rules_are_an_error(void **state)
{
    struct office o;

    (void)state;
    office_open(&o);
    o.problems = (struct problems){.text = &o.said};
    assert_null(rules_load("/no/such/folder", -1, o.lang, &o.problems));
    assert_non_null(strstr(str_c(&o.said), "/no/such/folder:1:1"));
    str_reset(&o.said);
    o.problems = (struct problems){.text = &o.said};
    assert_null(rules_load(o.path, -1, o.lang, &o.problems));
    assert_non_null(strstr(str_c(&o.said), "conventions.yaml:1:1: cannot be read"));
    office_close(&o);
}

static void a_link_among_the_offices_rules_is_not_followed(void **state)
{
    struct office o;

    (void)state;
    office_open(&o);
    assert_int_equal(symlinkat("/etc/passwd", o.dirfd, "noise.yaml"), 0);
    assert_null(office_load(&o));
    assert_non_null(strstr(str_c(&o.said), "noise.yaml:1:1: cannot be read"));
    office_close(&o);
}

static void what_others_may_write_is_no_rule_of_the_office(void **state)
{
    static const char *const names[] = {"noise.yaml", "types/a.yaml", "types"};
    struct office o;

    (void)state;
    office_open(&o);
    office_write(&o, "noise.yaml", "words: [abc]\n");
    office_write(&o, "types/a.yaml", TYPE("    words: [foo]\n"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct stat st;

        assert_int_equal(fstatat(o.dirfd, names[i], &st, 0), 0);
        assert_int_equal(fchmodat(o.dirfd, names[i], st.st_mode | S_IWGRP, 0), 0);
        assert_null(office_load(&o));
        assert_non_null(strstr(str_c(&o.said), names[i]));
        assert_non_null(strstr(str_c(&o.said), "chmod go-w"));
        assert_int_equal(o.problems.errors, 1);
        assert_int_equal(fchmodat(o.dirfd, names[i], st.st_mode & 0755, 0), 0);
        assert_non_null(office_load(&o));
    }
    office_close(&o);
}

static void conditions_answer_three_ways(void **state)
{
    struct office o;
    char secret[] = "SECRET", sender[] = "a@x", t[] = "t";
    struct content_line line = {.text = t};
    const struct content mail = {.subject = secret, .sender = sender};
    const struct content page = {.lines = &line, .lines_len = 1, .pages = 3};
    const struct heading top = {.form = FORM_MEMO, .title = {t}, .titles = 1, .text = t};
    const struct heading re = {.form = FORM_MAIL, .subject = secret};
    struct facts f = {.name = "x.q", .folder = "Foo", .size = 10};

    (void)state;
    office_open(&o);
    office_write(&o, "as-is.yaml",
                 "as_is:\n"
                 "  - what: a\n    when: {extension: q, not: {mime: 'image/*'}}\n"
                 "  - what: b\n    when: {any: [{size: '> 1 MB'}, {folder: 'B*'}]}\n"
                 "  - what: c\n    when: {subject: secret, sender: '@x$'}\n"
                 "  - what: d\n    when: {size: '< 2', title: t, text: t}\n"
                 "  - what: e\n    when: {pages: '> 2', form: memo}\n"
                 "  - what: f\n    when: {pages: 3, form: letter}\n");
    if (!office_load(&o))
        fail_msg("%s", str_c(&o.said));
    assert_string_equal(rules_as_is(o.rules, &f, NULL), "as-is.yaml:2 of the office");
    f.kind = KIND_JPEG;
    assert_null(rules_as_is(o.rules, &f, NULL));
    f.read_failed = true;
    assert_null(rules_as_is(o.rules, &f, NULL));
    f.size = 1000001;
    assert_string_equal(rules_as_is(o.rules, &f, NULL), "as-is.yaml:4 of the office");
    f.size = 1000000;
    f.folder = "bar";
    assert_string_equal(rules_as_is(o.rules, &f, NULL), "as-is.yaml:4 of the office");
    f = (struct facts){.name = "x", .folder = "", .size = 5, .content = &mail, .heading = &re};
    assert_string_equal(rules_as_is(o.rules, &f, NULL), "as-is.yaml:6 of the office");
    f = (struct facts){.name = "x", .folder = "", .size = 1, .content = &page, .heading = &top};
    assert_string_equal(rules_as_is(o.rules, &f, NULL), "as-is.yaml:8 of the office");
    f.size = 2;
    assert_string_equal(rules_as_is(o.rules, &f, NULL), "as-is.yaml:10 of the office");
    office_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_yaml_says_where),
        cmocka_unit_test(unknown_keys_say_where_and_what_is_known),
        cmocka_unit_test(bad_patterns_say_the_column),
        cmocka_unit_test(a_pattern_that_runs_away_is_an_error),
        cmocka_unit_test(a_pattern_that_runs_away_later_leaves_the_name_alone),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(conditions_nested_without_end_are_refused),
        cmocka_unit_test(doubles_in_one_place_are_errors),
        cmocka_unit_test(names_the_convention_would_not_accept_are_errors),
        cmocka_unit_test(a_convention_that_does_not_read_what_it_makes_is_an_error),
        cmocka_unit_test(all_problems_come_in_one_run),
        cmocka_unit_test(rules_that_never_get_their_turn_are_told),
        cmocka_unit_test(the_offices_own_types_come_first),
        cmocka_unit_test(the_office_can_add_words_to_a_shipped_type),
        cmocka_unit_test(the_offices_convention_makes_names),
        cmocka_unit_test(empty_files_and_missing_ones_are_fine),
        cmocka_unit_test(missing_shipped_rules_are_an_error),
        cmocka_unit_test(a_link_among_the_offices_rules_is_not_followed),
        cmocka_unit_test(what_others_may_write_is_no_rule_of_the_office),
        cmocka_unit_test(conditions_answer_three_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
