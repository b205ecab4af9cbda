/* init and rules: verbs about the cabinet itself. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/exit.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cabinet/cabinet.h"
#include "decide/rules.h"
#include "verbs/verb.h"

static const struct {
    const char *name, *example;
} orders[] = {
    [DATE_ORDER_ASK] = {"ask", "03-02-2026 is asked about"},
    [DATE_ORDER_MDY] = {"mdy", "03-02-2026 is read as March 2, 2026"},
    [DATE_ORDER_DMY] = {"dmy", "03-02-2026 is read as 3 February 2026"},
    [DATE_ORDER_YMD] = {"ymd", "26-03-02 is read as 2 March 2026"},
};

int verb_init(struct verb_call *call)
{
    const char *path = call->argc ? call->args[0] : ".";
    struct init_result r;

    if (cabinet_init(path, call->env, &r, &call->error) < 0)
        return EXIT_CANNOT;
    if (call->json) {
        str_addc(&call->out, '{');
        json_num(&call->out, "v", 1);
        json_bool(&call->out, "already", r.already);
        json_text(&call->out, "mode", r.existed ? "suggest" : "enforce");
        json_text(&call->out, "time_zone", r.zone);
        json_text(&call->out, "date_order", orders[r.date_order].name);
        str_add(&call->out, "}\n");
        return EXIT_ORDER;
    }
    if (r.already) {
        str_addf(&call->out, "%s is a cabinet already; nothing was changed\n", path);
        return EXIT_ORDER;
    }
    str_addf(&call->out, "%s is a cabinet now\n", path);
    if (r.existed)
        str_add(&call->out, "There was something in it: nothing is renamed until you say so "
                            "(mode: suggest in .organizer/organizer.yaml).\n"
                            "organizer adopt FOLDER makes a case of a folder that is there; then "
                            "organizer plan shows\nwhat the rules suggest in it, and organizer "
                            "apply does what you reviewed.\n");
    str_addf(&call->out, "Time zone %s; a date like %s (date_order: %s).\n",
             *r.zone ? r.zone : "UTC", orders[r.date_order].example, orders[r.date_order].name);
    return EXIT_ORDER;
}

static int rules_verb(struct verb_call *call, const struct rules *rules, const struct lang *lang)
{
    const char *what = call->args[0];
    size_t ran = 0, failed;

    if (strcmp(what, "check") == 0) {
        str_add(&call->out, "the rules are in order\n");
        return EXIT_ORDER;
    }
    if (strcmp(what, "list") == 0) {
        rules_list(rules, &call->out, call->json);
        return EXIT_ORDER;
    }
    if (strcmp(what, "test") == 0) {
        failed = rules_test(rules, lang, &call->out, &ran);
        str_addf(&call->out, "%zu examples, %zu failed\n", ran, failed);
        return failed ? EXIT_ATTENTION : EXIT_ORDER;
    }
    return verb_fail(call, EXIT_USAGE, "rules check, rules test, or rules list");
}

int verb_rules(struct verb_call *call)
{
    AUTO_FREE char *path = xasprintf("%s/language/en.yaml", call->env->rules_dir);
    AUTO_STR struct str text = STR_INIT;
    struct problems p = {.text = &text};
    struct lang *lang = lang_load(path, &call->error);
    struct error none = ERROR_INIT;
    AUTO_FREE char *cabinet = NULL;
    AUTO_CLOSE int root = -1;
    AUTO_CLOSE int office = -1;
    struct rules *rules;
    int status = EXIT_CANNOT;

    if (!lang)
        return EXIT_CANNOT;
    /* Without a cabinet around, the shipped rules alone. */
    cabinet = cabinet_find(call->cabinet    ? call->cabinet
                           : call->argc > 1 ? call->args[1]
                                            : NULL,
                           &none);
    if (!cabinet && (call->cabinet || call->argc > 1)) {
        call->error = none;
        lang_free(lang);
        return EXIT_CANNOT;
    }
    if (cabinet)
        root = open(cabinet, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root >= 0)
        office = config_open_trusted(root, CABINET_RULES, &none);
    rules = rules_load(call->env->rules_dir, office, lang, &p);
    str_addn(&call->out, str_c(&text), text.len);
    if (rules)
        status = rules_verb(call, rules, lang);
    else
        verb_fail(call, EXIT_CANNOT, "%zu errors in the rules", p.errors);
    rules_free(rules);
    lang_free(lang);
    return status;
}
