/* find: what is told to whom. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "search/find.h"
#include "search_place.h"

/* Two cases with a lease each, one of them a folder that only its owner (1000) reads. */
struct office {
    struct search_place *p;
    struct find_job job;
    struct str out;
};

static int make_folder(const char *dir, const char *name, mode_t mode, const char *file)
{
    AUTO_FREE char *folder = xasprintf("%s/%s", dir, name);
    AUTO_FREE char *path = xasprintf("%s/%s", folder, file);
    int fd;

    if (mkdir(folder, 0755) < 0)
        return -1;
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    return fd < 0 || close(fd) < 0 || chmod(folder, mode) < 0 ? -1 : 0;
}

static int setup(void **state)
{
    struct office *o = xcalloc(1, sizeof *o);
    struct search_place *p;

    if (place_setup((void **)&o->p) < 0)
        return -1;
    p = o->p;
    if (chmod(p->dir, 0755) < 0 || make_folder(p->dir, "Smith_Lease", 0755, "lease.pdf") < 0 ||
        make_folder(p->dir, "Jones_Divorce", 0700, "secret lease.pdf") < 0)
        return -1;
    o->job.root = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    o->job.state_dir = p->dir;
    o->job.everything = true;
    o->job.cases_len = 2;
    o->job.cases = xcalloc(2, sizeof *o->job.cases);
    o->job.cases[0] =
        (struct find_case){xstrdup(case_a),  xstrdup("Smith_Lease"), xstrdup("Smith_Lease"),
                           xstrdup("Smith"), xstrdup("Lease"),       NULL};
    o->job.cases[1] =
        (struct find_case){xstrdup(case_b),  xstrdup("Jones_Divorce"), xstrdup("Jones_Divorce"),
                           xstrdup("Jones"), xstrdup("Divorce"),       NULL};
    place_row(p, case_a, 1, "lease.pdf", "a lease of rooms");
    place_text(p, case_a, 1, "lease.pdf", "a lease of rooms");
    place_row(p, case_b, 1, "secret lease.pdf", "a lease of secrets");
    place_text(p, case_b, 1, "secret lease.pdf", "a lease of secrets");
    *state = o;
    return 0;
}

static int teardown(void **state)
{
    struct office *o = *state;

    find_job_clear(&o->job);
    close(o->job.root);
    str_clear(&o->out);
    place_teardown((void **)&o->p);
    free(o);
    return 0;
}

static int run(struct office *o, const char *const *args)
{
    struct find_request r;
    int found = find_request_parse(&r, args, &o->p->err);

    str_reset(&o->out);
    if (found == 0)
        found = find_run(&o->job, &r, &o->out, &o->p->err);
    find_request_clear(&r);
    return found;
}

#define find(o, ...) run(o, (const char *const[]){__VA_ARGS__, NULL})

static void ask_as(struct office *o, uid_t uid, gid_t *group)
{
    o->job.everything = false;
    o->job.who = (struct access_reader){uid, group, 1};
}

static void who_may_read_all_is_told_all(void **state)
{
    struct office *o = *state;

    assert_int_equal(find(o, "lease"), 2);
    assert_non_null(strstr(str_c(&o->out), "\"documents\":2"));
    assert_non_null(strstr(str_c(&o->out), "\"passage\":[\"a \",\"lease\",\" of rooms\"]"));
}

static void others_are_told_what_they_may_read(void **state)
{
    struct office *o = *state;
    gid_t group = 4242;

    ask_as(o, 4242, &group);
    assert_int_equal(find(o, "lease"), 1);
    assert_null(strstr(str_c(&o->out), "ecret"));
    assert_null(strstr(str_c(&o->out), "\"documents\""));
    assert_int_equal(find(o, "secrets"), 0);
    assert_int_equal(find(o, "--until", "2026", "secret*"), 0);
}

static void a_case_that_may_not_be_read_is_none(void **state)
{
    struct office *o = *state;
    gid_t group = 4242;

    ask_as(o, 4242, &group);
    assert_int_equal(find(o, "lease", "--case", "Jones_Divorce"), FIND_FAULT);
    assert_string_equal(o->p->err.text, "there is no case Jones_Divorce");
    assert_int_equal(find(o, "lease", "--case", "No_Such"), FIND_FAULT);
    assert_int_equal(find(o, "lease", "--client", "Jones"), FIND_FAULT);
    assert_int_equal(find(o, "lease", "--client", "smith"), 1);
}

static void the_owner_of_the_folder_is_told(void **state)
{
    struct office *o = *state;
    gid_t group = 4242;

    ask_as(o, geteuid() ? geteuid() : 4343, &group);
    if (geteuid() == 0) {
        AUTO_FREE char *folder = xasprintf("%s/Jones_Divorce", o->p->dir);

        assert_int_equal(chown(folder, 4343, 4343), 0);
    }
    assert_int_equal(find(o, "lease"), 2);
}

static void a_document_of_its_own_rights_is_hidden_alone(void **state)
{
    struct office *o = *state;
    AUTO_FREE char *path = xasprintf("%s/Smith_Lease/lease.pdf", o->p->dir);
    gid_t group = 4242;

    ask_as(o, 4242, &group);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(find(o, "lease"), 0);
    assert_int_equal(find(o, "--client", "smith"), 0);
}

static void what_is_gone_or_changed_is_not_told(void **state)
{
    struct office *o = *state;

    place_row(o->p, case_a, 1, "lease.pdf", "other bytes");
    assert_int_equal(find(o, "rooms"), 0);
    place_row(o->p, case_a, 1, "lease.pdf", "a lease of rooms");
    assert_int_equal(find(o, "rooms"), 1);
}

static void filters_narrow(void **state)
{
    struct office *o = *state;
    struct doc d = {.number = 1,
                    .path = xstrdup("lease.pdf"),
                    .state = DOC_FILED,
                    .kind = KIND_PDF,
                    .type = xstrdup("LeaseAgreement"),
                    .date = xstrdup("2026-03-02"),
                    .digest = digest_of_text("a lease of rooms")};

    memcpy(d.case_id, case_a, CASE_ID_SIZE);
    assert_int_equal(state_doc_put(o->p->state, &d, &o->p->err), 0);
    doc_clear(&d);
    assert_int_equal(find(o, "lease", "--since", "2026-03"), 1);
    assert_int_equal(find(o, "lease", "--since", "2026-03-03"), 0);
    assert_int_equal(find(o, "lease", "--until", "2026-03-01"), 0);
    assert_int_equal(find(o, "lease", "--until", "2026"), 1);
    assert_int_equal(find(o, "lease", "--type", "leaseagreement"), 1);
    assert_int_equal(find(o, "lease", "--type", "lease"), 1);
    assert_int_equal(find(o, "lease", "--type", "agreement"), 0);
    assert_int_equal(find(o, "lease", "--type", "*agreement"), 1);
    assert_int_equal(find(o, "lease", "--mime", "pdf"), 2);
    assert_int_equal(find(o, "lease", "--mime", "application/*"), 2);
    assert_int_equal(find(o, "lease", "--mime", "image/*"), 0);
    assert_int_equal(find(o, "lease", "--case", "smith_*"), 1);
    assert_int_equal(find(o, "--client", "Sm"), 1);
    assert_int_equal(find(o, "lease", "--relevance", "key"), 0);
    o->job.cases[0].key_documents = xcalloc(2, sizeof(char *));
    o->job.cases[0].key_documents[0] = xstrdup("lease");
    assert_int_equal(find(o, "lease", "--relevance", "key"), 1);
}

static void without_words_the_newest_come_first(void **state)
{
    struct office *o = *state;

    for (int i = 2; i < 40; i++) {
        struct doc d = {.number = i,
                        .path = xasprintf("%d.pdf", i),
                        .state = DOC_FILED,
                        .date = xasprintf("2026-01-%02d", 1 + i * 7 % 31)};

        memcpy(d.case_id, case_a, CASE_ID_SIZE);
        assert_int_equal(state_doc_put(o->p->state, &d, &o->p->err), 0);
        doc_clear(&d);
    }
    assert_int_equal(find(o, "--client", "smith", "--limit", "3"), 3);
    assert_non_null(strstr(str_c(&o->out), "\"more\":true"));
    assert_non_null(strstr(str_c(&o->out), "2026-01-31"));
    assert_non_null(strstr(str_c(&o->out), "2026-01-30"));
    assert_int_equal(find(o, "--client", "smith", "--limit", "39"), 39);
    assert_non_null(strstr(str_c(&o->out), "\"more\":false"));
}

static void there_may_be_more_than_told(void **state)
{
    struct office *o = *state;

    assert_int_equal(find(o, "lease", "--limit", "1"), 1);
    assert_non_null(strstr(str_c(&o->out), "\"more\":true"));
    assert_int_equal(find(o, "lease", "--limit", "2"), 2);
    assert_non_null(strstr(str_c(&o->out), "\"more\":false"));
}

static void a_request_at_fault_is_told(void **state)
{
    struct office *o = *state;

    assert_int_equal(find(o, "-lease"), FIND_FAULT);
    assert_int_equal(run(o, (const char *const[]){NULL}), FIND_FAULT);
    assert_non_null(strstr(o->p->err.text, "what is to be found?"));
}

static void without_a_catalogue_words_cannot_be_looked_for(void **state)
{
    struct office *o = *state;

    catalogue_close(o->p->catalogue);
    catalogue_delete(o->p->dir);
    o->p->catalogue = NULL;
    assert_int_equal(find(o, "lease"), -1);
    assert_int_equal(find(o, "--client", "smith"), 1);
}

#define each_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each_test(who_may_read_all_is_told_all),
        each_test(others_are_told_what_they_may_read),
        each_test(a_case_that_may_not_be_read_is_none),
        each_test(the_owner_of_the_folder_is_told),
        each_test(a_document_of_its_own_rights_is_hidden_alone),
        each_test(what_is_gone_or_changed_is_not_told),
        each_test(filters_narrow),
        each_test(without_words_the_newest_come_first),
        each_test(there_may_be_more_than_told),
        each_test(a_request_at_fault_is_told),
        each_test(without_a_catalogue_words_cannot_be_looked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
