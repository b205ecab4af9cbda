/* A storm of operations at every possible moment; afterwards the watcher's picture must be that of
 * the disk: each folder watched, under the path where it is. */
#include "watch_world.h"

#include <dirent.h>
#include <ftw.h>

#define OPERATIONS 2000
#define SEEDS      30

static uint32_t random_state;

/* xorshift32: the same on every machine. */
static uint32_t dice(uint32_t sides)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % sides;
}

/* A path of one to three parts out of four names, so that operations meet often. */
static void some_path(char *buf, size_t size, bool outside)
{
    int n = snprintf(buf, size, "%s%c", outside ? "../out/" : "", 'a' + (int)dice(4));
    uint32_t more = dice(3);

    for (uint32_t i = 0; i < more; i++)
        n += snprintf(buf + n, size - (size_t)n, "/%c", 'a' + (int)dice(4));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    remove(path);
    return 0;
}

static void operation(void)
{
    char from[64], to[64];
    int fd;

    some_path(from, sizeof from, dice(8) == 0);
    some_path(to, sizeof to, dice(8) == 0);
    switch (dice(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
        mkdir(from, 0777);
        break;
    case 4:
    case 5:
    case 6:
        rename(from, to);
        break;
    case 7:
        rmdir(from);
        break;
    case 8:
        if (dice(4) == 0)
            nftw(from, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        break;
    default:
        fd = open(from, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (fd >= 0)
            close(fd);
        if (dice(2))
            unlink(from);
    }
}

static int operations_left;

static void in_between(struct world *x)
{
    while (operations_left > 0 && dice(3) == 0) {
        operation();
        operations_left--;
        if (dice(8) == 0)
            watcher_pump(x->w);
    }
}

static uint64_t check_folder(struct world *x, const char *dir)
{
    DIR *d = opendir(*dir ? dir : ".");
    uint64_t n = 1;

    assert_non_null(d);
    expect_watched(x, dir);
    for (const struct dirent *e; (e = readdir(d));) {
        char *path;

        if (e->d_type != DT_DIR || e->d_name[0] == '.')
            continue;
        path = *dir ? xasprintf("%s/%s", dir, e->d_name) : xstrdup(e->d_name);
        n += check_folder(x, path);
        free(path);
    }
    closedir(d);
    return n;
}

static void storm(struct world *x, uint32_t seed)
{
    random_state = seed * 2654435761U + 1;
    operations_left = OPERATIONS;
    x->meanwhile = in_between;
    while (operations_left > 0) {
        operation();
        operations_left--;
        switch (dice(6)) {
        case 0:
            watcher_pump(x->w);
            break;
        case 1:
            uv_run(&x->loop, UV_RUN_NOWAIT);
            break;
        case 2:
            world_work(x);
            break;
        default:
            break;
        }
    }
    x->meanwhile = NULL;
    world_settle(x);
    assert_int_equal(count_lines(&x->seen, "S "), 0); /* it never had to begin anew */
    world_reset(x);
    assert_int_equal(watcher_count(x->w), check_folder(x, ""));
    world_settle(x);
}

static void after_a_storm_the_picture_is_that_of_the_disk(void **state)
{
    struct world *x = *state;

    assert_int_equal(mkdir("../out", 0777), 0);
    world_watch(x);
    for (uint32_t seed = 1; seed <= SEEDS; seed++)
        storm(x, seed);
}

/* The same while another thread sets the watches, reads ahead and is never at the same point twice. */
static void after_a_storm_with_help_the_picture_is_that_of_the_disk(void **state)
{
    struct world *x = *state;

    x->helped = true;
    after_a_storm_the_picture_is_that_of_the_disk(state);
}

/* With room for half of the watches: none may be left over, all others are swept. */
static void storm_at_the_limit(struct world *x, uint32_t seed)
{
    const char *why;

    random_state = seed * 2654435761U + 7;
    operations_left = OPERATIONS;
    x->meanwhile = in_between;
    while (operations_left > 0) {
        operation();
        operations_left--;
        if (dice(4) == 0)
            watcher_pump(x->w);
        world_work(x);
    }
    x->meanwhile = NULL;
    world_settle(x);
    watcher_sweep(x->w);
    world_settle(x);
    sh("find . -type d | wc -l > ../count");
    {
        FILE *f = fopen("../count", "r");
        unsigned n = 0;

        assert_non_null(f);
        assert_int_equal(fscanf(f, "%u", &n), 1);
        fclose(f);
        assert_int_equal(watcher_count(x->w) + watcher_unwatched(x->w, &why), n);
        assert_true(watcher_count(x->w) == (n < 6 ? n : 6));
    }
}

static void at_the_limit(struct world *x)
{
    x->max_watches = 6;
    assert_int_equal(mkdir("../out", 0777), 0);
    world_watch(x);
    for (uint32_t seed = 1; seed <= SEEDS; seed++)
        storm_at_the_limit(x, seed);
}

static void a_storm_at_the_limit_leaves_no_folder_out(void **state)
{
    at_the_limit(*state);
}

static void a_storm_at_the_limit_with_help_leaves_no_folder_out(void **state)
{
    struct world *x = *state;

    x->helped = true;
    at_the_limit(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(after_a_storm_the_picture_is_that_of_the_disk),
        WORLD_TEST(after_a_storm_with_help_the_picture_is_that_of_the_disk),
        WORLD_TEST(a_storm_at_the_limit_leaves_no_folder_out),
        WORLD_TEST(a_storm_at_the_limit_with_help_leaves_no_folder_out),
    };

    return cmocka_run_group_tests_name("watcher storm", tests, NULL, NULL);
}
