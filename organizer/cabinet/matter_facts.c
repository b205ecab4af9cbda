/* What decide() sees of a case, made from its folder's name, its card and its history. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "cabinet/casename.h"
#include "cabinet/matter_set.h"
#include "decide/name.h"

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void replace(char **old, char *fresh)
{
    free(*old);
    *old = fresh;
}

/* The vocabulary's name for a type or alias, else the word itself. */
static char *type_name(const struct rules *rules, const char *word)
{
    const struct case_type *t = rules ? rules_case_type(rules, word) : NULL;

    return xstrdup(t ? t->name : word);
}

/* The folder's name is the prefix, when it has the form and no better is on the card. */
static bool prefix_of_folder(const struct matters *m, struct node *n, const char *name)
{
    AUTO_FREE char *client = NULL;
    AUTO_FREE char *type = NULL;

    if (name_illegal(name) || !casename_split(name, &client, &type))
        return false;
    if (m->rules && !rules_case_type(m->rules, type) && n->m.card.client && n->m.card.case_type)
        return false;
    replace(&n->prefix, xstrdup(name));
    replace(&n->client, xstrdup(client));
    replace(&n->case_type, type_name(m->rules, type));
    return true;
}

static bool prefix_of_card(const struct matters *m, struct node *n)
{
    AUTO_FREE char *type = NULL;
    AUTO_FREE char *field = NULL;
    char *client;

    if (!n->m.card.client || !n->m.card.case_type)
        return false;
    type = type_name(m->rules, n->m.card.case_type);
    field = name_field(type);
    client = name_field(n->m.card.client);
    if (!*client || !*field) {
        free(client);
        return false;
    }
    replace(&n->prefix, xasprintf("%s_%s", client, field));
    replace(&n->client, client);
    replace(&n->case_type, xstrdup(field));
    return true;
}

/* Returns false when nothing tells client and type: then nothing can be named. */
static bool make_prefix(const struct matters *m, struct node *n)
{
    AUTO_FREE char *name = utf8_nfc(last_part(n->path));

    if (prefix_of_folder(m, n, name) || prefix_of_card(m, n))
        return true;
    replace(&n->prefix, name_field(name));
    replace(&n->client, xstrdup(n->prefix));
    replace(&n->case_type, xstrdup(""));
    return false;
}

static void former_put(struct node *n, size_t *len, const char *prefix)
{
    if (name_same(prefix, n->prefix))
        return;
    for (size_t i = 0; i < *len; i++)
        if (name_same(n->former[i], prefix))
            return;
    n->former = xreallocarray(n->former, *len + 2, sizeof *n->former);
    n->former[(*len)++] = prefix;
    n->former[*len] = NULL;
}

static void make_former(struct node *n)
{
    size_t len = 0;

    free(n->former);
    n->former = NULL;
    for (char **f = n->former_own; f && *f; f++)
        former_put(n, &len, *f);
    for (char **f = n->m.card.former; f && *f; f++)
        former_put(n, &len, *f);
}

bool matter_add_former(struct node *n, const char *prefix, size_t len)
{
    AUTO_FREE char *p = xmemdup0(prefix, len);
    size_t count = 0;

    if (!*p)
        return false;
    for (; n->former_own && n->former_own[count]; count++)
        if (strcmp(n->former_own[count], p) == 0)
            return false;
    n->former_own = xreallocarray(n->former_own, count + 2, sizeof *n->former_own);
    n->former_own[count] = xstrdup(p);
    n->former_own[count + 1] = NULL;
    return true;
}

char *matter_former(const struct matter *matter)
{
    const struct node *n = (const struct node *)(const void *)matter;
    struct str out = STR_INIT;

    for (char **f = n->former_own; f && *f; f++)
        str_addf(&out, "%s%s", out.len ? "/" : "", *f);
    return str_detach(&out);
}

static enum reason reason_of(const struct node *n)
{
    if (n->m.untouchable)
        return REASON_COPIED_CASE;
    if (n->tampered)
        return REASON_TAMPERED;
    for (char **f = n->former_own; f && *f; f++)
        if (!name_same(*f, n->prefix) && !n->renamed_told && !n->m.card.rename_answered)
            return REASON_CASE_RENAMED;
    return REASON_NONE;
}

/* The lists of a card as decide() takes them. */
static const char *const *list(char *const *strings)
{
    return (const char *const *)strings;
}

void matter_make_facts(struct matters *m, struct node *n)
{
    const struct card *card = &n->m.card;
    bool named = make_prefix(m, n);

    make_former(n);
    n->m.reason = reason_of(n);
    n->m.facts = (struct case_facts){
        .id = n->id,
        .path = n->path,
        .prefix = n->prefix,
        .client = n->client,
        .case_type = n->case_type,
        .former = n->former,
        .dockets = list(card->dockets),
        .matter = card->matter,
        .parties = list(card->parties),
        .emails = list(card->emails),
        .leave_alone = list(card->leave_alone),
        .key_documents = list(card->key_documents),
        .naming = !named             ? NAMING_OFF
                  : card->naming_set ? card->naming
                                     : m->naming,
        /* Without a private state the card is all there is to go by. */
        .closed = n->m.known ? n->m.closed : card->closed,
        .hold = card->hold != NULL,
        .restricted = n->m.facts.restricted,
    };
    m->cache->stale = true;
}
