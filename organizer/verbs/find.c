/* find: documents by what they are called and say. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cabinet/cabinet.h"
#include "search/query.h"
#include "search/request.h"
#include "verbs/verb.h"

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

/* ---- asking -------------------------------------------------------------------------------------
 */

/* Asks the daemon, or looks here. The answer is in out. */
static int ask(struct verb_call *call, const char *cabinet, struct str *out)
{
    int status = verb_ask(call, cabinet, "find", call->args);

    *out = call->out;
    call->out = (struct str)STR_INIT;
    return status;
}

/* ---- showing ------------------------------------------------------------------------------------
 */

static void show(struct str *out, const char *text)
{
    utf8_show(out, text, strlen(text));
}

/* The hits stand out: bold on a terminal, else between « and ». */
static void show_passage(struct verb_call *call, const json_t *parts)
{
    bool bold = call->env->color;
    struct str *out = &call->out;
    size_t i;
    json_t *part;

    if (json_array_size(parts) == 0)
        return;
    str_add(out, "    ");
    json_array_foreach((json_t *)(uintptr_t)parts, i, part)
    {
        const char *text = json_string_value(part);

        if (i % 2)
            str_add(out, bold ? BOLD : "\xC2\xAB");
        show(out, text ? text : "");
        if (i % 2)
            str_add(out, bold ? PLAIN : "\xC2\xBB");
    }
    str_addc(out, '\n');
}

static void show_facts(struct str *out, const json_t *hit)
{
    static const char *const keys[] = {"type", "date", "subject", "title", "sender"};
    bool any = false;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text = json_get_text(hit, keys[i]);

        /* A mail has a subject; other documents may have a title. */
        if (!text || (strcmp(keys[i], "title") == 0 && json_get_text(hit, "subject")))
            continue;
        str_add(out, any ? " \xC2\xB7 " : "    ");
        show(out, text);
        any = true;
    }
    if (any)
        str_addc(out, '\n');
}

static void show_hit(struct verb_call *call, const json_t *hit)
{
    AUTO_FREE char *path = json_get_name(hit, "path");

    show(&call->out, path ? path : "");
    str_addc(&call->out, '\n');
    show_facts(&call->out, hit);
    show_passage(call, json_object_get(hit, "passage"));
}

/* Nobody who writes "smith divorce" for a shell can be sure that it means a phrase. */
static void show_nothing(struct verb_call *call, const struct find_request *r)
{
    struct str *out = &call->out;

    str_add(out, "nothing found\n");
    for (size_t i = 0; i < r->words_len; i++)
        if (query_is_phrase(r->words[i])) {
            str_addc(out, '"');
            show(out, r->words[i]);
            str_add(out, "\" is looked for as words beside each other; without the quotes they may "
                         "stand anywhere in a document\n");
            return;
        }
}

/* What is said besides the documents. */
static void show_end(struct verb_call *call, const struct find_request *r, const json_t *head,
                     size_t shown)
{
    int64_t unread = json_get_num(head, "by_name_only", 0);

    if (json_is_true(json_object_get(head, "more")))
        str_addf(&call->out, "%zu shown, there are more: --limit N shows more, more words fewer\n",
                 shown);
    if (shown == 0)
        show_nothing(call, r);
    if (unread > 0)
        str_addf(&call->out,
                 "%lld of %lld documents are found by their names only: what they say is not known "
                 "(yet)\n",
                 (long long)unread, (long long)json_get_num(head, "documents", 0));
}

/* The lines of an answer as people read them; its first line is the head. */
static void show_all(struct verb_call *call, const struct find_request *r, const char *text)
{
    json_t *head = NULL;
    size_t shown = 0;

    while (*text) {
        size_t n = strcspn(text, "\n");
        json_t *j = json_loadb(text, n, 0, NULL);

        if (!head) {
            head = j;
        } else {
            show_hit(call, j);
            json_decref(j);
            shown++;
        }
        text += n + (text[n] == '\n');
    }
    show_end(call, r, head, shown);
    json_decref(head);
}

/* ---- opening ------------------------------------------------------------------------------------
 */

/* The first document of the answer, as a path from the root; NULL when there is none. */
static char *best_path(const char *cabinet, const char *text)
{
    const char *line = strchr(text, '\n');
    AUTO_FREE char *path = NULL;
    json_t *j;

    if (!line || !line[1])
        return NULL;
    j = json_loadb(line + 1, strcspn(line + 1, "\n"), 0, NULL);
    path = json_get_name(j, "path");
    json_decref(j);
    return path ? xasprintf("%s/%s", cabinet, path) : NULL;
}

/* No shell: the path is one argument, and begins with '/'. */
static int open_document(struct verb_call *call, const char *path)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        execlp("xdg-open", "xdg-open", path, (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return verb_fail(call, EXIT_CANNOT, "xdg-open cannot be started: %s", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return EXIT_ORDER;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return verb_fail(
            call, EXIT_CANNOT,
            "there is no xdg-open here (Debian's xdg-utils has it); the document is %s", path);
    return verb_fail(call, EXIT_CANNOT, "xdg-open could not open %s", path);
}

/* ---- the verb -----------------------------------------------------------------------------------
 */

static int answer(struct verb_call *call, const char *cabinet, const struct find_request *r,
                  int status, const char *text)
{
    AUTO_FREE char *best = r->open ? best_path(cabinet, text) : NULL;
    const char *lines = strchr(text, '\n');

    if (r->json)
        str_add(&call->out, lines ? lines + 1 : "");
    else
        show_all(call, r, text);
    if (!best || verb_flush(call) < 0)
        return status;
    return open_document(call, best);
}

static int find(struct verb_call *call, const struct find_request *r)
{
    AUTO_FREE char *cabinet = cabinet_find(r->cabinet, &call->error);
    AUTO_STR struct str out = STR_INIT;
    int status;

    if (!cabinet)
        return EXIT_CANNOT;
    if (r->rebuild) {
        static const char *const again[] = {"--rebuild", NULL};

        return verb_ask(call, cabinet, "find", again);
    }
    status = ask(call, cabinet, &out);
    return status >= 0 && status < EXIT_USAGE ? answer(call, cabinet, r, status, str_c(&out)) : status;
}

int verb_find(struct verb_call *call)
{
    struct find_request r;
    int status = EXIT_USAGE;

    if (find_request_parse(&r, call->args, &call->error) == 0) {
        if (r.help) {
            str_add(&call->out, "usage: " FIND_USAGE "\n");
            status = EXIT_ORDER;
        } else if (r.words_len == 0 && !find_request_filters(&r) && !r.rebuild) {
            verb_fail(call, EXIT_USAGE, "what is to be found? " FIND_USAGE);
        } else {
            status = find(call, &r);
        }
    }
    find_request_clear(&r);
    return status;
}
