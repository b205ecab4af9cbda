#include "cabinet/casename.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/utf8.h"
#include "decide/lang.h"
#include "decide/name.h"
#include "decide/rules.h"

#define WORDS_MAX   8 /* a longer folder name is a description, not a client and a type */
#define GUESS_LEAST 5 /* letters: shorter words are within two slips of nearly anything */

/* The words of a folder's name, and whether a comma, dash or bracket stood before each. */
struct words {
    char *word[WORDS_MAX];
    bool parted[WORDS_MAX];
    size_t len;
};

void casename_clear(struct casename *n)
{
    free(n->client);
    free(n->case_type);
    free(n->would);
    memset(n, 0, sizeof *n);
}

bool casename_split(const char *name, char **client, char **type)
{
    const char *bar = strchr(name, '_');
    size_t len;

    if (!bar || bar == name || strchr(bar + 1, '_'))
        return false;
    len = strcspn(bar + 1, "-");
    if (len == 0)
        return false;
    *client = xmemdup0(name, (size_t)(bar - name));
    *type = xmemdup0(bar + 1, len);
    return true;
}

static bool is_everyday(const struct lang *lang, const char *word)
{
    const char *const *list = lang ? lang_list(lang, "folder.everyday") : NULL;

    for (; list && *list; list++)
        if (strcasecmp(*list, word) == 0)
            return true;
    return false;
}

static bool has_letter(const char *word)
{
    for (; *word; word++)
        if ((*word | 32) >= 'a' ? (*word | 32) <= 'z' : (unsigned char)*word >= 0x80)
            return true;
    return (unsigned char)*word >= 0x80;
}

/* False when there are too many words. */
static bool split_words(const char *name, struct words *w)
{
    bool parted = false;

    memset(w, 0, sizeof *w);
    for (const char *p = name; *p;) {
        size_t len = strcspn(p, " _,-.()\t");

        if (len == 0) {
            parted |= strchr(",-_()", *p) != NULL;
            p++;
            continue;
        }
        if (w->len == WORDS_MAX)
            return false;
        w->parted[w->len] = parted;
        w->word[w->len++] = xmemdup0(p, len);
        parted = false;
        p += len;
    }
    return true;
}

static void words_clear(struct words *w)
{
    for (size_t i = 0; i < w->len; i++)
        free(w->word[i]);
}

/* The client as it would stand in a prefix: the words joined by '-', with capitals when it was
 * written without any. NULL when the words name nobody. */
static char *client_of(const struct lang *lang, const struct words *w, size_t len)
{
    AUTO_STR struct str s = STR_INIT;
    bool capital = false;
    char *field;

    for (size_t i = 0; i < len; i++) {
        if (!has_letter(w->word[i]) || is_everyday(lang, w->word[i]))
            return NULL;
        for (const char *p = w->word[i]; *p; p++)
            capital |= (*p >= 'A' && *p <= 'Z') || (unsigned char)*p >= 0x80;
    }
    for (size_t i = 0; i < len; i++) {
        size_t at = s.len + (i > 0);

        str_addf(&s, "%s%s", i ? "-" : "", w->word[i]);
        if (!capital && s.s[at] >= 'a' && s.s[at] <= 'z')
            s.s[at] = (char)(s.s[at] - 32);
    }
    field = name_field(str_c(&s));
    if (!*field) {
        free(field);
        return NULL;
    }
    return field;
}

/* PI and DUI are written so: "Al Pi" is a name. "tax" is a word and may be written as it likes. */
static bool is_initials_badly_written(const struct case_type *t, const char *word)
{
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz";

    if (strlen(word) >= 4 || !strpbrk(word, lower))
        return false;
    return strcasecmp(word, t->name) != 0 || !strpbrk(t->name, lower);
}

/* The case type that the last words spell, and how many words that takes. */
static const struct case_type *type_at_end(const struct rules *rules, const struct words *w,
                                           size_t *taken)
{
    for (size_t n = w->len > 3 ? 3 : w->len - 1; n >= 1; n--) {
        AUTO_STR struct str s = STR_INIT;
        const struct case_type *t;

        for (size_t i = w->len - n; i < w->len; i++)
            str_add(&s, w->word[i]);
        t = rules_case_type(rules, str_c(&s));
        if (t && is_initials_badly_written(t, str_c(&s)))
            t = NULL;
        if (t) {
            *taken = n;
            return t;
        }
    }
    return NULL;
}

/* "Smith, John - divorce", "smith divorce", "Smith John_Divorce" */
static enum casename_verdict read_words(const struct rules *rules, const struct lang *lang,
                                        const struct words *w, struct casename *out)
{
    const struct case_type *type;
    size_t taken = 0, first;
    AUTO_FREE char *client = NULL;

    if (w->len < 2)
        return CASENAME_NONE;
    type = type_at_end(rules, w, &taken);
    if (!type)
        return CASENAME_NONE;
    first = w->len - taken;
    if (taken == 1 && !w->parted[first] && is_everyday(lang, w->word[first]))
        return CASENAME_NONE;
    client = client_of(lang, w, first);
    if (!client)
        return CASENAME_NONE;
    out->would = xasprintf("%s_%s", client, type->name);
    return CASENAME_NEAR;
}

/* "Smith_Divorse": the form is right, the type is a slip or two away from one. */
static enum casename_verdict read_slip(const struct rules *rules, const struct lang *lang,
                                       const char *name, const char *client, const char *type,
                                       struct casename *out)
{
    const char *near;
    const char *rest = strchr(name, '_');
    const char *suffix = rest ? strchr(rest, '-') : NULL;
    struct words w;
    AUTO_FREE char *field = NULL;

    if (strlen(type) < GUESS_LEAST || rules_near_case_types(rules, type, &near, 1) == 0 ||
        strlen(near) < GUESS_LEAST)
        return CASENAME_NONE;
    if (split_words(client, &w) && w.len)
        field = client_of(lang, &w, w.len);
    words_clear(&w);
    if (!field)
        return CASENAME_NONE;
    out->would = xasprintf("%s_%s%s", field, near, suffix ? suffix : "");
    return CASENAME_NEAR;
}

/* "Estate of Brown": some word of it is nobody's everyday word. */
static bool names_somebody(const struct lang *lang, const char *client)
{
    struct words w;
    bool somebody = false;

    if (split_words(client, &w))
        for (size_t i = 0; i < w.len; i++)
            somebody |= has_letter(w.word[i]) && !is_everyday(lang, w.word[i]);
    words_clear(&w);
    return somebody;
}

/* client and type are those of the name's only '_'. */
static enum casename_verdict read_form(const struct rules *rules, const struct lang *lang,
                                       const char *name, const char *client, const char *type,
                                       struct casename *out)
{
    const struct case_type *t = rules_case_type(rules, type);
    AUTO_FREE char *field = name_field(client);
    AUTO_FREE char *nfc = utf8_nfc(client); /* Macs may send decomposed names */

    if (!t)
        return read_slip(rules, lang, name, client, type, out);
    if (!has_letter(client) || name_illegal(name))
        return CASENAME_NONE;
    if (strcmp(field, nfc) != 0) {
        if (!*field || !names_somebody(lang, client))
            return CASENAME_NONE;
        out->would = xasprintf("%s_%s", field, name + strlen(client) + 1);
        return CASENAME_NEAR;
    }
    out->client = xstrdup(field);
    out->case_type = xstrdup(t->name);
    return CASENAME_CASE;
}

enum casename_verdict casename_read(const struct rules *rules, const struct lang *lang,
                                    const char *name, struct casename *out)
{
    enum casename_verdict v = CASENAME_NONE;
    AUTO_FREE char *client = NULL;
    AUTO_FREE char *type = NULL;
    struct words w;

    memset(out, 0, sizeof *out);
    if (!rules || !utf8_valid(name, strlen(name)) || utf8_deceptive(name, strlen(name)))
        return CASENAME_NONE;
    if (casename_split(name, &client, &type))
        v = read_form(rules, lang, name, client, type, out);
    if (v != CASENAME_NONE)
        return v;
    if (split_words(name, &w))
        v = read_words(rules, lang, &w, out);
    words_clear(&w);
    return v;
}

bool casename_could_be(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strpbrk(slash ? slash + 1 : path, "_ ,-") != NULL;
}
