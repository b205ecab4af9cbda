#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/acl.h>

#include "base/alloc.h"
#include "cabinet/access.h"
#include "cabinet/cabinet.h"
#include "cabinet/casename.h"
#include "cabinet/matter.h"
#include "decide/route.h"
#include "case_fixture.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int root;
static struct matters *matters;
static struct state *db;
static struct matter_look seen;
static struct error err;

/* --- the cabinet --- */

static int start(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/Matters", fixture_path);
    root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    matters = matters_new(root, fixture_rules, fixture_lang);
    snprintf(path, sizeof path, "%s/state", fixture_path);
    err = (struct error)ERROR_INIT;
    db = state_open(path, false, &err);
    return db ? 0 : -1;
}

static int stop(void **state)
{
    char path[128];

    (void)state;
    matter_look_clear(&seen);
    matters_free(matters);
    matters = NULL;
    state_close(db);
    close(root);
    snprintf(path, sizeof path, "%s/state", fixture_path);
    if (remove_tree(path) < 0)
        return -1;
    return fixture_empty();
}

static void folder(const char *path)
{
    if (mkdirat(root, path, 0755) < 0)
        fail_msg("%s: %s", path, strerror(errno));
}

static void put(const char *path, const char *text)
{
    int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void card(const char *path, const char *text)
{
    AUTO_FREE char *file = xasprintf("%s/Case.txt", path);

    put(file, text);
}

static void journal(const char *path, const char *id)
{
    AUTO_FREE char *dir = xasprintf("%s/.organizer", path);
    AUTO_FREE char *file = xasprintf("%s/.organizer/journal.jsonl", path);
    AUTO_FREE char *line =
        xasprintf("{\"v\":1,\"seq\":1,\"prev\":\"%064d\",\"at\":\"2026-11-23T00:00:00Z\","
                  "\"kind\":\"opened\",\"case\":\"%s\"}\n",
                  0, id);

    folder(dir);
    put(file, line);
}

static void renamed(const char *from, const char *to)
{
    assert_int_equal(renameat(root, from, root, to), 0);
}

static enum matter_event look(const char *path)
{
    matter_look_clear(&seen);
    if (matters_look(matters, path, true, db, &seen, &err) < 0)
        fail_msg("%s: %s", path, error_text(&err));
    return seen.event;
}

/* What the flow does for a new or moved case: the state then knows it. */
static void record(const char *path)
{
    const struct matter *m = matters_by_path(matters, path);
    struct case_row row = {
        .dev = m->stamp.dev, .ino = m->stamp.ino, .birth_ns = m->stamp.birth_ns, .next_doc = 1};

    memcpy(row.id, m->facts.id, sizeof row.id);
    row.path = xstrdup(path);
    row.former = matter_former(m);
    assert_int_equal(state_begin(db, &err), 0);
    assert_int_equal(state_case_put(db, &row, &err), 0);
    assert_int_equal(state_commit(db, &err), 0);
    case_row_clear(&row);
}

/* A case as the daemon has opened it. */
static struct matter *opened(const char *path, const char *id)
{
    AUTO_FREE char *text = card_text(id, "Smith", "Divorce", "2026-11-23");

    folder(path);
    card(path, text);
    journal(path, id);
    assert_int_equal(look(path), MATTER_NEW);
    record(path);
    assert_int_equal(look(path), MATTER_SAME);
    assert_true(seen.matter->known);
    return seen.matter;
}

/* As after a restart of the program. */
static void forget_all(void)
{
    matters_free(matters);
    matters = matters_new(root, fixture_rules, fixture_lang);
}

/* --- which folders are cases --- */

static void an_ordinary_folder_is_no_case(void **state)
{
    (void)state;
    folder("Scans");
    assert_int_equal(look("Scans"), MATTER_NONE);
    assert_int_equal(look(""), MATTER_NONE);
    assert_int_equal(look("not there"), MATTER_NONE);
}

static void a_folder_with_a_card_is_a_case(void **state)
{
    (void)state;
    folder("Smith_Divorce");
    card("Smith_Divorce", "Docket: 26-1\nCase id: " ID_A "\n");
    assert_int_equal(look("Smith_Divorce"), MATTER_NEW);
    assert_string_equal(seen.matter->facts.prefix, "Smith_Divorce");
    assert_string_equal(seen.matter->facts.client, "Smith");
    assert_string_equal(seen.matter->facts.case_type, "Divorce");
    assert_string_equal(seen.matter->facts.id, ID_A);
    assert_string_equal(seen.matter->facts.dockets[0], "26-1");
    assert_int_equal(seen.matter->facts.naming, NAMING_STANDARD);
}

static void a_case_lies_at_any_depth(void **state)
{
    (void)state;
    folder("A");
    folder("A/B");
    folder("A/B/Jones_Tax");
    card("A/B/Jones_Tax", "");
    assert_int_equal(look("A"), MATTER_NONE);
    assert_int_equal(look("A/B/Jones_Tax"), MATTER_NEW);
    assert_string_equal(seen.matter->facts.path, "A/B/Jones_Tax");
}

static void a_card_without_an_id_gets_one_and_keeps_it(void **state)
{
    char id[CASE_ID_SIZE];

    (void)state;
    folder("Smith_Divorce");
    card("Smith_Divorce", "Client: Smith\n");
    assert_int_equal(look("Smith_Divorce"), MATTER_NEW);
    assert_null(seen.matter->card.id);
    assert_int_equal(strlen(seen.matter->facts.id), 32);
    memcpy(id, seen.matter->facts.id, sizeof id);
    assert_int_equal(look("Smith_Divorce"), MATTER_NEW);
    assert_string_equal(seen.matter->facts.id, id);
    record("Smith_Divorce");
    assert_int_equal(look("Smith_Divorce"), MATTER_SAME);
    assert_false(seen.first);
    forget_all();
    assert_int_equal(look("Smith_Divorce"), MATTER_SAME); /* by path and inode in the state */
    assert_true(seen.first);
    assert_int_equal(look("Smith_Divorce"), MATTER_SAME);
    assert_false(seen.first);
    assert_string_equal(seen.matter->facts.id, id);
}

static void cases_do_not_nest(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    folder("Smith_Divorce/Jones_Tax");
    card("Smith_Divorce/Jones_Tax", "Client: Jones\n");
    assert_int_equal(look("Smith_Divorce/Jones_Tax"), MATTER_NONE);
    assert_int_equal(matters_len(matters), 1);
}

static void a_card_above_cases_does_not_swallow_them(void **state)
{
    (void)state;
    folder("Clients");
    opened("Clients/Smith_Divorce", ID_A);
    card("Clients", "Client: x\n");
    assert_int_equal(look("Clients"), MATTER_NONE);
    forget_all();
    assert_int_equal(look("Clients"), MATTER_NONE); /* the state knows what lies below */
    assert_int_equal(look("Clients/Smith_Divorce"), MATTER_SAME);
}

static void a_card_above_cases_not_yet_in_the_state_does_not_either(void **state)
{
    (void)state;
    folder("Clients");
    folder("Clients/Smith_Divorce");
    card("Clients/Smith_Divorce", "");
    assert_int_equal(look("Clients/Smith_Divorce"), MATTER_NEW);
    card("Clients", "Client: x\n");
    assert_int_equal(look("Clients"), MATTER_NONE);
    assert_int_equal(matters_len(matters), 1);
}

static void inbox_archive_and_hidden_folders_hold_no_cases(void **state)
{
    static const char *const places[] = {"Inbox", "Archive", ".hidden"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        AUTO_FREE char *path = xasprintf("%s/Smith_Divorce", places[i]);

        folder(places[i]);
        folder(path);
        card(path, "Client: Smith\n");
        assert_int_equal(look(path), MATTER_NONE);
        assert_int_equal(look(places[i]), MATTER_NONE);
    }
}

static void a_link_is_no_case(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    assert_int_equal(symlinkat("Smith_Divorce", root, "Jones_Tax"), 0);
    assert_int_equal(look("Jones_Tax"), MATTER_NONE);
}

static void a_card_that_is_a_link_or_pipe_makes_no_case(void **state)
{
    (void)state;
    folder("Smith_Divorce");
    assert_int_equal(symlinkat("/etc/passwd", root, "Smith_Divorce/Case.txt"), 0);
    assert_int_equal(look("Smith_Divorce"), MATTER_NONE);
    folder("Jones_Tax");
    assert_int_equal(mkfifoat(root, "Jones_Tax/Case.txt", 0600), 0);
    assert_int_equal(look("Jones_Tax"), MATTER_NONE);
}

/* --- names --- */

static void a_new_folder_named_by_the_convention_becomes_a_case(void **state)
{
    static const char *const rows[][3] = {
        {"Smith_Divorce", "Smith", "Divorce"},           {"Smith_Divorce-2024", "Smith", "Divorce"},
        {"Smith-John_Divorce", "Smith-John", "Divorce"}, {"Jones_PI", "Jones", "PersonalInjury"},
        {"M\xC3\xBCller_Tax", "M\xC3\xBCller", "Tax"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        folder(rows[i][0]);
        if (look(rows[i][0]) != MATTER_FOLDER)
            fail_msg("%s: %d", rows[i][0], (int)seen.event);
        assert_string_equal(seen.would, rows[i][0]);
        assert_string_equal(seen.client, rows[i][1]);
        assert_string_equal(seen.case_type, rows[i][2]);
        assert_null(seen.matter);
    }
}

static void an_old_folder_becomes_none_by_its_name(void **state)
{
    (void)state;
    folder("Smith_Divorce");
    assert_int_equal(matters_look(matters, "Smith_Divorce", false, db, &seen, &err), 0);
    assert_int_equal(seen.event, MATTER_NONE);
    folder("Smith, John - divorce");
    assert_int_equal(matters_look(matters, "Smith, John - divorce", false, db, &seen, &err), 0);
    assert_int_equal(seen.event, MATTER_NONE);
}

static void near_misses_are_told_with_the_name_that_would_do(void **state)
{
    static const char *const rows[][2] = {
        {"Smith, John - divorce", "Smith-John_Divorce"},
        {"smith divorce", "Smith_Divorce"},
        {"Smith_Divorse", "Smith_Divorce"},
        {"Smith_Divorse-2024", "Smith_Divorce-2024"},
        {"Smith_Dviorce", "Smith_Divorce"},
        {"Smith John_Divorce", "Smith-John_Divorce"},
        {"Smith Divorce", "Smith_Divorce"},
        {"van der Berg - Personal Injury", "van-der-Berg_PersonalInjury"},
        {"Jones real estate", "Jones_RealEstate"},
        {"Jones PI", "Jones_PersonalInjury"},
        {"Jones - tax", "Jones_Tax"},
        {"Smith _ Divorce", "Smith_Divorce"},
        {"Smith_John_Divorce", "Smith-John_Divorce"},
        {"In the Matter of Brown_Divorce-2024", "In-the-Matter-of-Brown_Divorce-2024"},
        {"Johnson (Divorce)", "Johnson_Divorce"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        folder(rows[i][0]);
        if (look(rows[i][0]) != MATTER_NEAR_MISS)
            fail_msg("%s: %d", rows[i][0], (int)seen.event);
        assert_string_equal(seen.would, rows[i][1]);
    }
}

static void ordinary_names_are_no_near_misses(void **state)
{
    static const char *const rows[] = {"Scans",
                                       "Templates",
                                       "2024",
                                       "Divorce",
                                       "New folder",
                                       "Office tax",
                                       "Smith tax",
                                       "Templates divorce",
                                       "2024 Tax",
                                       "2024 - Tax",
                                       "Scans_Old",
                                       "Al Pi",
                                       "Smith dui",
                                       "Sample - Divorce",
                                       "General",
                                       "Photos_2024",
                                       "Smith_Photos",
                                       "Divorce forms",
                                       "Old office_Divorce",
                                       "The long road to an amicable end in case of divorce",
                                       "_Divorce",
                                       "Smith_",
                                       "Smith",
                                       "\xFF\xFE_Divorce"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        folder(rows[i]);
        if (look(rows[i]) != MATTER_NONE)
            fail_msg("%s: %d %s", rows[i], (int)seen.event, seen.would ? seen.would : "");
    }
}

static void names_that_mislead_the_eye_make_no_case(void **state)
{
    (void)state;
    folder("Smi\xE2\x80\x8Bth_Divorce");
    assert_int_equal(look("Smi\xE2\x80\x8Bth_Divorce"), MATTER_NONE);
}

static void a_second_case_of_one_name_needs_another(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    folder("More");
    folder("More/Smith_Divorce");
    assert_int_equal(look("More/Smith_Divorce"), MATTER_NEAR_MISS);
    assert_string_equal(seen.would, "Smith_Divorce-2");
    folder("smith_divorce");
    assert_int_equal(look("smith_divorce"), MATTER_NEAR_MISS);
}

static void a_case_whose_card_was_taken_away_is_not_opened_anew(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    assert_int_equal(unlinkat(root, "Smith_Divorce/Case.txt", 0), 0);
    assert_int_equal(look("Smith_Divorce"), MATTER_GONE);
    assert_int_equal(look("Smith_Divorce"), MATTER_NONE);
    assert_int_equal(matters_len(matters), 0);
}

static void without_rules_names_make_no_case(void **state)
{
    (void)state;
    matters_set_rules(matters, NULL, fixture_lang);
    folder("Smith_Divorce");
    assert_int_equal(look("Smith_Divorce"), MATTER_NONE);
}

/* --- cards --- */

static void a_changed_card_makes_new_facts(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    card("Smith_Divorce", "Status: closed\nHold: appeal\nNaming: off\nCase id: " ID_A "\n");
    assert_int_equal(look("Smith_Divorce"), MATTER_CHANGED);
    assert_ptr_equal(seen.matter, m);
    assert_true(m->card.closed && m->facts.hold);
    assert_int_equal(m->facts.naming, NAMING_OFF);
    assert_int_equal(look("Smith_Divorce"), MATTER_SAME);
}

/* Explorer makes an empty file, people write into it and slip: there is no better card before it. */
static void a_blank_card_is_no_good_card_to_fall_back_to(void **state)
{
    (void)state;
    folder("Mine");
    card("Mine", "");
    assert_int_equal(look("Mine"), MATTER_NEW);
    assert_int_equal(look("Mine"), MATTER_NEW);
    record("Mine");
    look("Mine");
    assert_int_equal(look("Mine"), MATTER_SAME);
    card("Mine", "Client: Lee\nCase type: Divorce\nOpened: soon\n");
    assert_int_equal(look("Mine"), MATTER_CHANGED);
    assert_string_equal(seen.matter->facts.prefix, "Lee_Divorce");
    assert_int_equal(seen.matter->seen.problems_len, 1);
    assert_int_equal(seen.matter->seen.problems[0].line, 3);
    card("Mine", "Client: Lee\nCase type: Widget\n");
    look("Mine");
    assert_int_equal(seen.matter->seen.problems_len, 1);
    assert_int_equal(seen.matter->seen.problems[0].line, 2);
}

/* As after a reload: nobody has to touch the card. */
static void a_card_is_read_again_when_it_would_say_something_else(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    card("Smith_Divorce", "Opened: 3/2/2026\nCase id: " ID_A "\n");
    look("Smith_Divorce");
    assert_int_equal(seen.matter->seen.problems_len, 1);
    matters_set_date_order(matters, DATE_ORDER_DMY);
    look("Smith_Divorce");
    assert_int_equal(seen.matter->seen.problems_len, 0);
    assert_string_equal(seen.matter->card.opened, "2026-02-03");
    matters_set_date_order(matters, DATE_ORDER_MDY);
    look("Smith_Divorce");
    assert_string_equal(seen.matter->card.opened, "2026-03-02");
    matters_set_date_order(matters, DATE_ORDER_MDY);
    assert_int_equal(look("Smith_Divorce"), MATTER_SAME);
    card("Smith_Divorce", "Case type: Widget\nCase id: " ID_A "\n");
    look("Smith_Divorce");
    assert_int_equal(seen.matter->seen.problems_len, 1);
    matters_set_rules(matters, NULL, fixture_lang); /* any type is known then */
    look("Smith_Divorce");
    assert_int_equal(seen.matter->seen.problems_len, 0);
    matters_set_rules(matters, fixture_rules, fixture_lang);
}

/* What a card says is a wish; what counts is what was written down of it. */
static void a_case_is_closed_when_the_state_says_so(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);
    struct case_row row;

    (void)state;
    card("Smith_Divorce", "Status: closed\nCase id: " ID_A "\n");
    look("Smith_Divorce");
    assert_false(m->facts.closed);
    assert_int_equal(state_case_get(db, ID_A, &row, &err), 1);
    row.closed = true;
    assert_int_equal(state_begin(db, &err), 0);
    assert_int_equal(state_case_put(db, &row, &err), 0);
    assert_int_equal(state_commit(db, &err), 0);
    case_row_clear(&row);
    look("Smith_Divorce");
    assert_true(m->facts.closed && m->closed);
}

static void a_change_of_the_same_size_is_seen(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    for (int i = 0; i < 20; i++) {
        card("Smith_Divorce", i % 2 ? "Matter number: 1\n" : "Matter number: 2\n");
        assert_int_equal(look("Smith_Divorce"), MATTER_CHANGED);
        assert_string_equal(m->facts.matter, i % 2 ? "1" : "2");
    }
}

static void the_last_good_card_counts(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    card("Smith_Divorce", "Docket: 1\nCase id: " ID_A "\n");
    assert_int_equal(look("Smith_Divorce"), MATTER_CHANGED);
    card("Smith_Divorce", "Docket: 2\nStatus: nonsense\nCase id: " ID_A "\n");
    assert_int_equal(look("Smith_Divorce"), MATTER_CHANGED);
    assert_int_equal(m->seen.problems_len, 1);
    assert_int_equal(m->seen.problems[0].line, 2);
    assert_string_equal(m->facts.dockets[0], "1");
    card("Smith_Divorce", "Docket: 2\nCase id: " ID_A "\n");
    assert_int_equal(look("Smith_Divorce"), MATTER_CHANGED);
    assert_int_equal(m->seen.problems_len, 0);
    assert_string_equal(m->facts.dockets[0], "2");
}

static void a_huge_card_is_told_and_the_last_good_one_counts(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);
    char *big = xcalloc(1, 300001);

    (void)state;
    card("Smith_Divorce", "Docket: 1\n");
    look("Smith_Divorce");
    memset(big, 'x', 300000);
    card("Smith_Divorce", big);
    free(big);
    assert_int_equal(look("Smith_Divorce"), MATTER_CHANGED);
    assert_int_equal(m->seen.problems_len, 1);
    assert_string_equal(m->seen.problems[0].text, "card.too-large");
    assert_string_equal(m->facts.dockets[0], "1");
    assert_int_equal(look("Smith_Divorce"), MATTER_SAME);
}

static void a_binary_card_is_told_and_the_last_good_one_counts(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    card("Smith_Divorce", "\x7F"
                          "ELF\x01");
    assert_int_equal(look("Smith_Divorce"), MATTER_CHANGED);
    assert_string_equal(m->seen.problems[0].text, "card.binary");
    assert_string_equal(m->card.client, "Smith");
}

static void a_card_replaced_by_a_folder_is_told(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    assert_int_equal(unlinkat(root, "Smith_Divorce/Case.txt", 0), 0);
    folder("Smith_Divorce/Case.txt");
    assert_int_equal(look("Smith_Divorce"), MATTER_CHANGED);
    assert_string_equal(m->seen.problems[0].text, "card.not-a-file");
    assert_string_equal(m->facts.id, ID_A);
}

static void a_card_without_its_id_keeps_the_case(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    card("Smith_Divorce", "Client: Smith\n");
    assert_int_equal(look("Smith_Divorce"), MATTER_CHANGED);
    assert_string_equal(m->facts.id, ID_A);
    forget_all();
    assert_int_equal(look("Smith_Divorce"), MATTER_SAME); /* the journal has it */
    assert_string_equal(seen.matter->facts.id, ID_A);
}

static void a_foreign_id_on_a_known_card_is_told(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    card("Smith_Divorce", "Client: Smith\nCase id: " ID_B "\n");
    assert_int_equal(look("Smith_Divorce"), MATTER_CHANGED);
    assert_string_equal(m->facts.id, ID_A);
    assert_non_null(strstr(m->seen.problems[0].text, "card.foreign-id"));
}

static void a_case_in_another_folder_takes_its_prefix_from_the_card(void **state)
{
    (void)state;
    folder("Smith, J.");
    card("Smith, J.", "Client: Smith John\nCase type: family\n");
    assert_int_equal(look("Smith, J."), MATTER_NEW);
    assert_string_equal(seen.matter->facts.prefix, "Smith-John_Divorce");
    assert_string_equal(seen.matter->facts.case_type, "Divorce");
}

static void nothing_is_named_while_client_and_type_are_unknown(void **state)
{
    (void)state;
    folder("Some folder");
    card("Some folder", "Team: JB\n");
    assert_int_equal(look("Some folder"), MATTER_NEW);
    assert_int_equal(seen.matter->facts.naming, NAMING_OFF);
    assert_non_null(strstr(seen.matter->seen.problems[0].text, "card.no-client"));
}

static void the_cabinets_naming_counts_where_the_card_is_silent(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    matters_set_naming(matters, NAMING_INBOX);
    assert_int_equal(m->facts.naming, NAMING_INBOX);
    card("Smith_Divorce", "Naming: everywhere\n");
    look("Smith_Divorce");
    assert_int_equal(m->facts.naming, NAMING_EVERYWHERE);
}

/* --- copies and moves --- */

static void a_copied_case_is_untouchable(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    folder("Smith_Divorce - Copy");
    card("Smith_Divorce - Copy", "Client: Smith\nCase type: Divorce\nCase id: " ID_A "\n");
    journal("Smith_Divorce - Copy", ID_A);
    assert_int_equal(look("Smith_Divorce - Copy"), MATTER_COPY);
    assert_true(seen.matter->untouchable);
    assert_int_equal(seen.matter->reason, REASON_COPIED_CASE);
    assert_int_equal(look("Smith_Divorce - Copy"), MATTER_COPY);
    assert_string_equal(matters_by_id(matters, ID_A)->facts.path, "Smith_Divorce");
    assert_int_equal(matters_roster(matters)->len, 1);
    assert_int_equal(matters_len(matters), 2);
}

static void a_copied_card_alone_makes_a_copy(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    folder("Jones_Tax");
    card("Jones_Tax", "Client: Jones\nCase id: " ID_A "\n");
    assert_int_equal(look("Jones_Tax"), MATTER_COPY);
    card("Jones_Tax", "Client: Jones\n"); /* the person takes the id out */
    assert_int_equal(look("Jones_Tax"), MATTER_NEW);
    assert_false(seen.matter->untouchable);
    assert_string_not_equal(seen.matter->facts.id, ID_A);
}

static void a_copied_journal_alone_makes_a_copy(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    folder("Jones_Tax");
    card("Jones_Tax", "Client: Jones\n");
    journal("Jones_Tax", ID_A);
    assert_int_equal(look("Jones_Tax"), MATTER_COPY);
}

static void a_copy_is_one_after_a_restart_too(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    folder("A copy");
    card("A copy", "Client: Smith\nCase id: " ID_A "\n");
    forget_all();
    assert_int_equal(look("A copy"), MATTER_COPY); /* looked at before the original */
    assert_int_equal(look("Smith_Divorce"), MATTER_SAME);
}

static void a_copy_whose_original_is_gone_is_the_case_moved(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    folder("Smith_Divorce-2024");
    card("Smith_Divorce-2024", "Client: Smith\nCase id: " ID_A "\n");
    journal("Smith_Divorce-2024", ID_A);
    assert_int_equal(look("Smith_Divorce-2024"), MATTER_COPY);
    renamed("Smith_Divorce", ".gone");
    assert_int_equal(look("Smith_Divorce-2024"), MATTER_MOVED);
    assert_string_equal(seen.was, "Smith_Divorce");
    assert_false(seen.matter->untouchable);
    assert_int_equal(matters_len(matters), 1);
}

static void the_original_is_told_from_its_copy_by_its_inode(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    renamed("Smith_Divorce", "Smith_Divorce-2024");
    folder("Smith_Divorce"); /* the copy lies where the original was */
    card("Smith_Divorce", "Client: Smith\nCase id: " ID_A "\n");
    assert_int_equal(look("Smith_Divorce-2024"), MATTER_MOVED);
    record("Smith_Divorce-2024");
    assert_int_equal(look("Smith_Divorce"), MATTER_COPY);
}

static void a_renamed_case_keeps_its_former_prefix(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    m->flow = &seen;
    renamed("Smith_Divorce", "Smyth_Divorce");
    assert_int_equal(look("Smyth_Divorce"), MATTER_MOVED);
    assert_string_equal(seen.was, "Smith_Divorce");
    assert_ptr_equal(seen.matter, m);
    assert_ptr_equal(m->flow, &seen);
    assert_string_equal(m->facts.prefix, "Smyth_Divorce");
    assert_string_equal(m->facts.former[0], "Smith_Divorce");
    assert_null(m->facts.former[1]);
    assert_int_equal(m->reason, REASON_CASE_RENAMED);
    assert_null(matters_by_path(matters, "Smith_Divorce"));
    assert_ptr_equal(matters_find(matters, "Smith_Divorce", &err), m);
}

static void a_renaming_is_told_after_a_restart_until_answered(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    renamed("Smith_Divorce", "Smyth_Divorce");
    forget_all();
    assert_int_equal(look("Smyth_Divorce"), MATTER_MOVED);
    record("Smyth_Divorce");
    assert_int_equal(look("Smyth_Divorce"), MATTER_SAME);
    assert_int_equal(seen.matter->reason, REASON_CASE_RENAMED);
    forget_all();
    assert_int_equal(look("Smyth_Divorce"), MATTER_SAME);
    assert_int_equal(seen.matter->reason, REASON_CASE_RENAMED);
    assert_string_equal(seen.matter->facts.former[0], "Smith_Divorce");
    card("Smyth_Divorce", "Rename documents: no\nCase id: " ID_A "\n");
    assert_int_equal(look("Smyth_Divorce"), MATTER_CHANGED);
    assert_int_equal(seen.matter->reason, REASON_NONE);
    assert_string_equal(seen.matter->facts.former[0], "Smith_Divorce");
}

static void a_renaming_answered_in_the_state_is_not_told(void **state)
{
    struct case_row row;

    (void)state;
    opened("Smith_Divorce", ID_A);
    renamed("Smith_Divorce", "Smyth_Divorce");
    look("Smyth_Divorce");
    record("Smyth_Divorce");
    assert_int_equal(state_case_get(db, ID_A, &row, &err), 1);
    row.renamed_told = true;
    assert_int_equal(state_begin(db, &err), 0);
    assert_int_equal(state_case_put(db, &row, &err), 0);
    assert_int_equal(state_commit(db, &err), 0);
    case_row_clear(&row);
    look("Smyth_Divorce");
    assert_int_equal(seen.matter->reason, REASON_NONE);
    renamed("Smyth_Divorce", "Smythe_Divorce"); /* an old answer is none to a new question */
    assert_int_equal(look("Smythe_Divorce"), MATTER_MOVED);
    assert_int_equal(seen.matter->reason, REASON_CASE_RENAMED);
    assert_non_null(seen.matter->facts.former[1]);
}

static void a_case_moved_with_its_name_is_not_renamed(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    folder("Clients");
    renamed("Smith_Divorce", "Clients/Smith_Divorce");
    assert_int_equal(look("Clients/Smith_Divorce"), MATTER_MOVED);
    assert_string_equal(seen.was, "Smith_Divorce");
    assert_int_equal(seen.matter->reason, REASON_NONE);
    assert_null(seen.matter->facts.former);
}

static void a_case_seen_gone_first_is_still_known_when_it_comes_back(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    renamed("Smith_Divorce", "Smyth_Divorce");
    assert_int_equal(look("Smith_Divorce"), MATTER_GONE);
    assert_int_equal(look("Smyth_Divorce"), MATTER_MOVED);
    assert_string_equal(seen.matter->facts.former[0], "Smith_Divorce");
}

static void a_restored_case_with_new_inodes_is_the_same(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    renamed("Smith_Divorce", ".away");
    folder("Smith_Divorce");
    card("Smith_Divorce", "Client: Smith\nCase id: " ID_A "\n");
    journal("Smith_Divorce", ID_A);
    forget_all();
    assert_int_equal(look("Smith_Divorce"), MATTER_SAME);
    assert_true(seen.matter->known);
}

static void another_case_at_the_same_path_is_another(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    renamed("Smith_Divorce", ".away");
    folder("Smith_Divorce");
    card("Smith_Divorce", "Case id: " ID_B "\n");
    assert_int_equal(look("Smith_Divorce"), MATTER_NEW);
    assert_string_equal(seen.matter->facts.id, ID_B);
    assert_null(matters_by_id(matters, ID_A));
    assert_int_equal(matters_len(matters), 1);
}

static void former_names_of_the_card_are_accepted(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    card("Smith_Divorce", "Former names: Smyth_Divorce; smith_divorce; SMYTH_divorce\n");
    look("Smith_Divorce");
    assert_string_equal(m->facts.former[0], "Smyth_Divorce");
    assert_null(m->facts.former[1]);
    assert_int_equal(m->reason, REASON_NONE);
}

static void tampering_and_adoption_come_from_the_state(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);
    struct case_row row;

    (void)state;
    assert_int_equal(state_case_get(db, ID_A, &row, &err), 1);
    row.tampered = true;
    row.adopted_ns = 5;
    assert_int_equal(state_begin(db, &err), 0);
    assert_int_equal(state_case_put(db, &row, &err), 0);
    assert_int_equal(state_commit(db, &err), 0);
    case_row_clear(&row);
    look("Smith_Divorce");
    assert_int_equal(m->reason, REASON_TAMPERED);
    assert_true(m->adopted_ns == 5);
}

static void without_a_state_a_case_is_new_once(void **state)
{
    (void)state;
    folder("Smith_Divorce");
    card("Smith_Divorce", "Client: Smith\n");
    assert_int_equal(matters_look(matters, "Smith_Divorce", true, NULL, &seen, &err), 0);
    assert_int_equal(seen.event, MATTER_NEW);
    assert_int_equal(matters_look(matters, "Smith_Divorce", true, NULL, &seen, &err), 0);
    assert_int_equal(seen.event, MATTER_SAME);
}

/* --- the set --- */

static void count_drop(void *ctx, struct matter *m)
{
    (void)m;
    (*(int *)ctx)++;
}

static void a_parent_that_is_gone_takes_its_cases_along(void **state)
{
    int dropped = 0;

    (void)state;
    folder("C");
    opened("C/Smith_Divorce", ID_A);
    opened("C-Jones_Tax", ID_B);
    matters_on_drop(matters, count_drop, &dropped);
    renamed("C", ".away");
    assert_int_equal(look("C"), MATTER_GONE);
    assert_int_equal(dropped, 1);
    assert_int_equal(matters_len(matters), 1);
    assert_non_null(matters_by_id(matters, ID_B));
    matters_on_drop(matters, NULL, NULL);
}

static void paths_lead_to_their_case(void **state)
{
    struct matter *m;
    const char *inside = NULL;

    (void)state;
    folder("A");
    m = opened("A/Smith_Divorce", ID_A);
    assert_ptr_equal(matters_of(matters, "A/Smith_Divorce/Motions/x.pdf", &inside), m);
    assert_string_equal(inside, "Motions/x.pdf");
    assert_ptr_equal(matters_of(matters, "A/Smith_Divorce", &inside), m);
    assert_string_equal(inside, "");
    assert_null(matters_of(matters, "A", NULL));
    assert_null(matters_of(matters, "A/Smith_Divorce2/x", NULL));
    assert_null(matters_of(matters, "", NULL));
}

static void a_case_is_found_as_people_name_it(void **state)
{
    struct matter *a, *b;

    (void)state;
    folder("X");
    a = opened("Smith_Divorce", ID_A);
    b = opened("X/Smith_Divorce", ID_B);
    assert_ptr_equal(matters_find(matters, "Smith_Divorce", &err), a); /* an exact path */
    assert_ptr_equal(matters_find(matters, "X/Smith_Divorce/", &err), b);
    assert_null(matters_find(matters, "smith_divorce", &err));
    assert_non_null(strstr(err.text, "X/Smith_Divorce"));
    assert_null(matters_find(matters, "Jones", &err));
    assert_non_null(strstr(err.text, "Jones"));
}

static void the_roster_is_in_path_order(void **state)
{
    static const char *const names[] = {"M_Tax", "A_Tax", "Z_Tax", "B_Tax"};
    const struct roster *r;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        folder(names[i]);
        card(names[i], "");
        look(names[i]);
    }
    r = matters_roster(matters);
    assert_int_equal(r->len, 4);
    for (size_t i = 1; i < 4; i++)
        assert_true(strcmp(r->cases[i - 1]->path, r->cases[i]->path) < 0);
    matters_forget(matters, "M_Tax");
    assert_int_equal(matters_roster(matters)->len, 3);
    assert_string_equal(matters_at(matters, 0)->facts.path, "A_Tax");
    assert_null(matters_at(matters, 3));
}

static void the_roster_routes_by_what_cards_say_now(void **state)
{
    struct route_hit hit;

    (void)state;
    opened("Smith_Divorce", ID_A);
    assert_int_equal(router_find(matters_roster(matters)->router, "letter 26-777", &hit, 1), 0);
    card("Smith_Divorce", "Docket: 26-777\nCase id: " ID_A "\n");
    look("Smith_Divorce");
    assert_int_equal(router_find(matters_roster(matters)->router, "letter 26-777", &hit, 1), 1);
    assert_ptr_equal(hit.matter, &matters_by_id(matters, ID_A)->facts);
    matters_forget(matters, "Smith_Divorce");
    assert_int_equal(router_find(matters_roster(matters)->router, "letter 26-777", &hit, 1), 0);
}

static void thousands_of_cases_are_found_quickly(void **state)
{
    char path[64];

    (void)state;
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "C%04d_Tax", i);
        folder(path);
        card(path, "");
        matter_look_clear(&seen);
        assert_int_equal(matters_look(matters, path, true, NULL, &seen, &err), 0);
    }
    assert_int_equal(matters_roster(matters)->len, 2000);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 2000; i++) {
            snprintf(path, sizeof path, "C%04d_Tax/a/b/c.pdf", i);
            assert_non_null(matters_of(matters, path, NULL));
            assert_int_equal(matters_roster(matters)->len, 2000);
        }
    }
}

/* --- zones --- */

static void where_a_document_lies(void **state)
{
    static const struct {
        const char *path;
        enum zone zone;
    } rows[] = {
        {"Inbox/x.pdf", ZONE_OFFICE_INBOX},
        {"Inbox/sub/x.pdf", ZONE_OUTSIDE},
        {"x.pdf", ZONE_OUTSIDE},
        {"Other/x.pdf", ZONE_OUTSIDE},
        {"Smith_Divorce/x.pdf", ZONE_ELSEWHERE},
        {"Smith_Divorce/Inbox/x.pdf", ZONE_CASE_INBOX},
        {"Smith_Divorce/Inbox/sub/x.pdf", ZONE_ELSEWHERE},
        {"Smith_Divorce/Motions/x.pdf", ZONE_STANDARD},
        {"Smith_Divorce/Motions/sub/x.pdf", ZONE_ELSEWHERE},
        {"Smith_Divorce/Photos/x.pdf", ZONE_ELSEWHERE},
        {"Smith_Divorce/Drafts/x.pdf", ZONE_LEFT_ALONE},
        {"Smith_Divorce/drafts/a/b/x.pdf", ZONE_LEFT_ALONE},
        {"Smith_Divorce/Motions/Drafts/x.pdf", ZONE_LEFT_ALONE},
        {"Smith_Divorce/As Received/2026-11-23 a/Inbox/x.pdf", ZONE_LEFT_ALONE},
        {"Smith_Divorce/Raw/a/x.pdf", ZONE_LEFT_ALONE},
        {"Smith_Divorce/Motions/Old/x.pdf", ZONE_LEFT_ALONE},
        {"Smith_Divorce/Evidence/Old/x.pdf", ZONE_ELSEWHERE},
        {"Smith_Divorce/Motions/plan.DWG", ZONE_LEFT_ALONE},
        {"Smith_Divorce/Motions/Drafts", ZONE_STANDARD},
    };
    struct matter *home;
    const char *inside;

    (void)state;
    opened("Smith_Divorce", ID_A);
    card("Smith_Divorce", "Leave alone: Raw\\; Motions\\Old; *.dwg\n");
    look("Smith_Divorce");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (matters_zone(matters, rows[i].path, NULL, NULL) != rows[i].zone)
            fail_msg("%s: %d", rows[i].path, (int)matters_zone(matters, rows[i].path, NULL, NULL));
    matters_zone(matters, "Smith_Divorce/Motions/x.pdf", &home, &inside);
    assert_string_equal(home->facts.prefix, "Smith_Divorce");
    assert_string_equal(inside, "Motions/x.pdf");
    matters_zone(matters, "Inbox/x.pdf", &home, &inside);
    assert_null(home);
    assert_string_equal(inside, "Inbox/x.pdf");
}

static void everything_in_a_copy_is_left_alone(void **state)
{
    (void)state;
    opened("Smith_Divorce", ID_A);
    folder("Copy");
    card("Copy", "Case id: " ID_A "\n");
    look("Copy");
    assert_int_equal(matters_zone(matters, "Copy/Inbox/x.pdf", NULL, NULL), ZONE_LEFT_ALONE);
}

static void a_spiteful_pattern_takes_no_time(void **state)
{
    struct str s = STR_INIT;

    (void)state;
    opened("Smith_Divorce", ID_A);
    card("Smith_Divorce", "Leave alone: *a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b\n");
    look("Smith_Divorce");
    str_add(&s, "Smith_Divorce/Motions/");
    for (int i = 0; i < 250; i++)
        str_addc(&s, 'a');
    assert_int_equal(matters_zone(matters, str_c(&s), NULL, NULL), ZONE_STANDARD);
    str_clear(&s);
}

/* --- who may read --- */

static void a_case_that_fewer_may_read_is_restricted(void **state)
{
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    assert_int_equal(fchmod(root, 0755), 0);
    look("Smith_Divorce");
    assert_false(m->facts.restricted);
    assert_int_equal(fchmodat(root, "Smith_Divorce", 0750, 0), 0);
    assert_int_equal(look("Smith_Divorce"), MATTER_CHANGED);
    assert_true(m->facts.restricted);
    assert_int_equal(fchmodat(root, "Smith_Divorce", 0754, 0), 0); /* list, not enter */
    look("Smith_Divorce");
    assert_true(m->facts.restricted);
    assert_int_equal(fchmod(root, 0750), 0);
    look("Smith_Divorce");
    assert_false(m->facts.restricted);
    assert_int_equal(fchmodat(root, "Smith_Divorce", 0700, 0), 0);
    look("Smith_Divorce");
    assert_true(m->facts.restricted);
    assert_int_equal(fchmod(root, 0755), 0);
}

static void a_restricted_parent_restricts(void **state)
{
    struct matter *m;

    (void)state;
    folder("Partners");
    m = opened("Partners/Smith_Divorce", ID_A);
    assert_false(m->facts.restricted);
    assert_int_equal(fchmodat(root, "Partners", 0750, 0), 0);
    look("Partners/Smith_Divorce");
    assert_true(m->facts.restricted);
}

static void set_acl(const char *path, const char *text)
{
    AUTO_FREE char *full = xasprintf("%s/Matters/%s", fixture_path, path);
    acl_t acl = acl_from_text(text);

    assert_non_null(acl);
    if (acl_set_file(full, ACL_TYPE_ACCESS, acl) < 0) {
        acl_free(acl);
        print_message("no ACLs on this file system: not tested\n");
        skip();
    }
    acl_free(acl);
}

static void an_access_list_may_restrict(void **state)
{
    static const struct {
        const char *all, *one;
        bool restricted;
    } rows[] = {
        {"u::rwx,g::r-x,o::r-x", "u::rwx,g::r-x,o::r-x,u:1234:---,m::r-x", true},
        {"u::rwx,g::r-x,o::---,g:77:r-x,m::rwx", "u::rwx,g::r-x,o::---", true},
        {"u::rwx,g::r-x,o::---,g:77:r-x,m::rwx", "u::rwx,g::r-x,o::---,g:77:r-x,m::rwx", false},
        {"u::rwx,g::r-x,o::---,g:77:r-x,m::rwx", "u::rwx,g::r-x,o::---,g:77:r-x,m::---", true},
        {"u::rwx,g::r-x,o::---", "u::rwx,g::r-x,o::---,g:77:r-x,m::rwx", false},
        {"u::rwx,g::r-x,o::r-x,u:1234:---,m::r-x", "u::rwx,g::r-x,o::r-x,u:1234:---,m::r-x", false},
    };
    struct matter *m = opened("Smith_Divorce", ID_A);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set_acl("", rows[i].all);
        set_acl("Smith_Divorce", rows[i].one);
        look("Smith_Divorce");
        if (m->facts.restricted != rows[i].restricted)
            fail_msg("row %zu", i);
    }
}

static const char *const shipped_keys[] = {
    "line",           "twice",  "field-near", "choice",     "date",
    "date-ambiguous", "id",     "foreign-id", "case-type",  "case-type-near",
    "no-client",      "binary", "too-large",  "not-a-file", "unreadable"};

static void every_mistake_has_its_sentence(void **state)
{
    struct lang *lang = lang_load("rules/language/en.yaml", &err);

    (void)state;
    if (!lang)
        fail_msg("%s (run it from the top of the project)", err.text);
    for (size_t i = 0; i < sizeof shipped_keys / sizeof *shipped_keys; i++) {
        AUTO_FREE char *key = xasprintf("card.%s", shipped_keys[i]);

        assert_string_not_equal(lang_get(lang, key), key);
    }
    assert_non_null(lang_list(lang, "folder.everyday")[0]);
    lang_free(lang);
}

static void minted_ids_differ(void **state)
{
    char a[CASE_ID_SIZE], b[CASE_ID_SIZE];

    (void)state;
    case_id_mint(a);
    case_id_mint(b);
    assert_int_equal(strspn(a, "0123456789abcdef"), 32);
    assert_string_not_equal(a, b);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_ordinary_folder_is_no_case),
        CASE(a_folder_with_a_card_is_a_case),
        CASE(a_case_lies_at_any_depth),
        CASE(a_card_without_an_id_gets_one_and_keeps_it),
        CASE(cases_do_not_nest),
        CASE(a_card_above_cases_does_not_swallow_them),
        CASE(a_card_above_cases_not_yet_in_the_state_does_not_either),
        CASE(inbox_archive_and_hidden_folders_hold_no_cases),
        CASE(a_link_is_no_case),
        CASE(a_card_that_is_a_link_or_pipe_makes_no_case),
        CASE(a_new_folder_named_by_the_convention_becomes_a_case),
        CASE(an_old_folder_becomes_none_by_its_name),
        CASE(near_misses_are_told_with_the_name_that_would_do),
        CASE(ordinary_names_are_no_near_misses),
        CASE(names_that_mislead_the_eye_make_no_case),
        CASE(a_second_case_of_one_name_needs_another),
        CASE(a_case_whose_card_was_taken_away_is_not_opened_anew),
        CASE(without_rules_names_make_no_case),
        CASE(a_changed_card_makes_new_facts),
        CASE(a_blank_card_is_no_good_card_to_fall_back_to),
        CASE(a_card_is_read_again_when_it_would_say_something_else),
        CASE(a_case_is_closed_when_the_state_says_so),
        CASE(a_change_of_the_same_size_is_seen),
        CASE(the_last_good_card_counts),
        CASE(a_huge_card_is_told_and_the_last_good_one_counts),
        CASE(a_binary_card_is_told_and_the_last_good_one_counts),
        CASE(a_card_replaced_by_a_folder_is_told),
        CASE(a_card_without_its_id_keeps_the_case),
        CASE(a_foreign_id_on_a_known_card_is_told),
        CASE(a_case_in_another_folder_takes_its_prefix_from_the_card),
        CASE(nothing_is_named_while_client_and_type_are_unknown),
        CASE(the_cabinets_naming_counts_where_the_card_is_silent),
        CASE(a_copied_case_is_untouchable),
        CASE(a_copied_card_alone_makes_a_copy),
        CASE(a_copied_journal_alone_makes_a_copy),
        CASE(a_copy_is_one_after_a_restart_too),
        CASE(a_copy_whose_original_is_gone_is_the_case_moved),
        CASE(the_original_is_told_from_its_copy_by_its_inode),
        CASE(a_renamed_case_keeps_its_former_prefix),
        CASE(a_renaming_is_told_after_a_restart_until_answered),
        CASE(a_renaming_answered_in_the_state_is_not_told),
        CASE(a_case_moved_with_its_name_is_not_renamed),
        CASE(a_case_seen_gone_first_is_still_known_when_it_comes_back),
        CASE(a_restored_case_with_new_inodes_is_the_same),
        CASE(another_case_at_the_same_path_is_another),
        CASE(former_names_of_the_card_are_accepted),
        CASE(tampering_and_adoption_come_from_the_state),
        CASE(without_a_state_a_case_is_new_once),
        CASE(a_parent_that_is_gone_takes_its_cases_along),
        CASE(paths_lead_to_their_case),
        CASE(a_case_is_found_as_people_name_it),
        CASE(the_roster_is_in_path_order),
        CASE(the_roster_routes_by_what_cards_say_now),
        CASE(thousands_of_cases_are_found_quickly),
        CASE(where_a_document_lies),
        CASE(everything_in_a_copy_is_left_alone),
        CASE(a_spiteful_pattern_takes_no_time),
        CASE(a_case_that_fewer_may_read_is_restricted),
        CASE(a_restricted_parent_restricts),
        CASE(an_access_list_may_restrict),
        CASE(every_mistake_has_its_sentence),
        CASE(minted_ids_differ),
    };

    return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
