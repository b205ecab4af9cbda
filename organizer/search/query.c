/*
 * Reading a query:
 *
 *     query_parse
 *       lex            args to tokens: words, phrases, operators
 *       read_or        any of several
 *         read_and     all of several, less what is left out
 *           read_unary   NOT, -word
 *             read_primary   ( … ), NEAR( … ), a word or phrase, words NEAR words
 */
#include "search/query.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "search/words.h"

#define DEPTH_MAX  16 /* parentheses within parentheses; deeper ones are ignored */
#define NEAR_WORDS 10

enum sign { SIGN_TEXT, SIGN_OPEN, SIGN_CLOSE, SIGN_OR, SIGN_AND, SIGN_NOT, SIGN_NEAR, SIGN_END };

struct token {
    enum sign sign;
    char *text;         /* TEXT: what to look for; holds a word */
    bool prefix;        /* TEXT: its last word is a beginning */
    bool phrase;        /* TEXT: stood in quotes */
    const char *column; /* TEXT: only there, or NULL */
    int near;           /* NEAR: words between */
    bool list;          /* NEAR: "NEAR(" */
};

struct reading {
    struct token *tokens;
    size_t len, cap, at;
    int depth;
};

static const struct {
    const char *typed, *column;
} columns[] = {
    {"name:", "name"},     {"title:", "title"},   {"subject:", "title"},
    {"people:", "people"}, {"sender:", "people"}, {"from:", "people"},
    {"to:", "people"},     {"author:", "people"}, {"text:", "body"},
};

/* ---- tokens -----------------------------------------------------------------------------------
 */

static struct token *add(struct reading *r, enum sign sign)
{
    GROW(r->tokens, r->len, r->cap);
    r->tokens[r->len] = (struct token){.sign = sign};
    return &r->tokens[r->len++];
}

/* Text to look for; nothing when it holds no word. */
static void add_text(struct reading *r, const char *s, size_t n, bool prefix, bool phrase,
                     const char *column)
{
    struct token *t;

    if (!words_any(s, n))
        return;
    t = add(r, SIGN_TEXT);
    t->text = xmemdup0(s, n);
    t->prefix = prefix;
    t->phrase = phrase;
    t->column = column;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The quote that s begins with ('"' or a typographic one): its length, else 0. */
static size_t quote_at(const char *s)
{
    static const char *const quotes[] = {"\"",           "\xE2\x80\x9C", "\xE2\x80\x9D",
                                         "\xE2\x80\x9E", "\xC2\xAB",     "\xC2\xBB"};

    for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++)
        if (strncmp(s, quotes[i], strlen(quotes[i])) == 0)
            return strlen(quotes[i]);
    return 0;
}

/* A phrase whose opening quote was read; returns where to go on. */
static const char *lex_phrase(struct reading *r, const char *s, const char *column)
{
    const char *end = s;

    while (*end && !quote_at(end))
        end++;
    if (*end) {
        const char *next = end + quote_at(end);

        add_text(r, s, (size_t)(end - s), *next == '*', true, column);
        return next + (*next == '*');
    }
    add_text(r, s, (size_t)(end - s), false, true, column);
    return end;
}

/* "NEAR/5": the number; 0 when it is none. */
static int near_number(const char *s, size_t n)
{
    long k;

    if (n < 6 || strncmp(s, "NEAR/", 5) != 0 || s[5] < '1' || s[5] > '9')
        return 0;
    k = strtol(s + 5, NULL, 10);
    return k > 1000 ? 1000 : (int)k;
}

static bool is_word(const char *s, size_t n, const char *word)
{
    return strlen(word) == n && strncmp(s, word, n) == 0;
}

/* An operator; false when the word is none. */
static bool lex_operator(struct reading *r, const char *s, size_t n, bool list)
{
    int k = near_number(s, n);
    struct token *t;

    if (is_word(s, n, "OR") || is_word(s, n, "||")) {
        add(r, SIGN_OR);
    } else if (is_word(s, n, "AND") || is_word(s, n, "&&")) {
        add(r, SIGN_AND);
    } else if (is_word(s, n, "NOT")) {
        add(r, SIGN_NOT);
    } else if (is_word(s, n, "NEAR") || k > 0) {
        t = add(r, SIGN_NEAR);
        t->near = k > 0 ? k : NEAR_WORDS;
        t->list = list;
    } else {
        return false;
    }
    return true;
}

/* "title:" at the beginning: the column, and *s behind it. */
static const char *lex_column(const char **s)
{
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        size_t n = strlen(columns[i].typed);
        const char *rest = *s + n;

        if (strncmp(*s, columns[i].typed, n) != 0 || !*rest || is_space(*rest))
            continue;
        *s = rest;
        return columns[i].column;
    }
    return NULL;
}

static size_t word_length(const char *s)
{
    size_t n = 0;

    while (s[n] && !is_space(s[n]) && !quote_at(s + n) && s[n] != '(' && s[n] != ')')
        n++;
    return n;
}

/* A word, an operator, a sign; returns where to go on. */
static const char *lex_one(struct reading *r, const char *s)
{
    const char *column;
    size_t n;

    if (*s == '(' || *s == ')') {
        add(r, *s == '(' ? SIGN_OPEN : SIGN_CLOSE);
        return s + 1;
    }
    if (*s == '-' && s[1] && !is_space(s[1]) && s[1] != '-') {
        add(r, SIGN_NOT);
        return s + 1;
    }
    column = lex_column(&s);
    if (quote_at(s))
        return lex_phrase(r, s + quote_at(s), column);
    n = word_length(s);
    if (n == 0)
        return s + 1;
    if (column || !lex_operator(r, s, n, s[n] == '('))
        add_text(r, s, n, s[n - 1] == '*', false, column);
    return s + n;
}

/* Signs that a person means as such: the argument is no plain phrase. */
static bool has_signs(const char *s)
{
    static const char *const operators[] = {"OR", "AND", "NOT", "NEAR", "||", "&&"};

    while (*s) {
        const char *column_at = s;
        size_t n;

        if (is_space(*s)) {
            s++;
            continue;
        }
        if (*s == '-' || *s == '(' || *s == ')' || quote_at(s) || lex_column(&column_at))
            return true;
        n = word_length(s);
        if (n == 0 || s[n - 1] == '*' || near_number(s, n))
            return true;
        for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
            if (is_word(s, n, operators[i]))
                return true;
        s += n;
    }
    return false;
}

static bool has_space(const char *s)
{
    while (*s && !is_space(*s))
        s++;
    while (is_space(*s))
        s++;
    return *s != '\0';
}

bool query_is_phrase(const char *arg)
{
    while (is_space(*arg))
        arg++;
    return has_space(arg) && !has_signs(arg);
}

static void lex(struct reading *r, const char *arg)
{
    while (is_space(*arg))
        arg++;
    if (query_is_phrase(arg)) {
        add_text(r, arg, strlen(arg), false, true, NULL);
        return;
    }
    while (*arg) {
        if (is_space(*arg))
            arg++;
        else
            arg = lex_one(r, arg);
    }
}

/* ---- the expression ---------------------------------------------------------------------------
 */

static enum sign sign_at(const struct reading *r, size_t ahead)
{
    return r->at + ahead < r->len ? r->tokens[r->at + ahead].sign : SIGN_END;
}

/* In quotes, doubled inside. */
static void add_string(struct str *out, const struct token *t)
{
    str_addc(out, '"');
    for (const char *p = t->text; *p; p++) {
        if (*p == '"')
            str_addc(out, '"');
        str_addc(out, *p);
    }
    str_addc(out, '"');
    if (t->prefix)
        str_add(out, " *");
}

static void add_term(struct str *out, const struct token *t)
{
    if (t->column)
        str_addf(out, "{%s} : ", t->column);
    add_string(out, t);
}

static void read_or(struct reading *r, struct str *out);

/* NEAR( a b c [, 5]): up to the closing parenthesis. */
static void read_near_list(struct reading *r, struct str *out)
{
    size_t first = ++r->at, n = 0; /* behind NEAR, at "(" */
    int words = r->tokens[r->at - 1].near;

    first++;
    r->at++;
    while (sign_at(r, 0) != SIGN_CLOSE && sign_at(r, 0) != SIGN_END)
        r->at++;
    /* "rent, 5": the last of several is a number. */
    for (size_t i = first; i < r->at; i++)
        n += r->tokens[i].sign == SIGN_TEXT;
    if (n > 2 && r->tokens[r->at - 1].sign == SIGN_TEXT) {
        const char *last = r->tokens[r->at - 1].text;
        size_t digits = strspn(last, "0123456789");

        if (digits > 0 && digits < 4 && !last[digits] && !r->tokens[r->at - 1].phrase) {
            words = (int)strtol(last, NULL, 10);
            r->tokens[r->at - 1].sign = SIGN_AND; /* counted for nothing below */
            n--;
        }
    }
    if (n > 0) {
        str_add(out, "NEAR(");
        for (size_t i = first; i < r->at; i++) {
            if (r->tokens[i].sign != SIGN_TEXT)
                continue;
            add_string(out, &r->tokens[i]);
            str_addc(out, ' ');
        }
        str_addf(out, ", %d)", words);
    }
    r->at += sign_at(r, 0) == SIGN_CLOSE;
}

/* a NEAR b, a NEAR/5 b NEAR c */
static void read_near_chain(struct reading *r, struct str *out)
{
    int words = r->tokens[r->at + 1].near;

    str_add(out, "NEAR(");
    add_string(out, &r->tokens[r->at++]);
    while (sign_at(r, 0) == SIGN_NEAR && sign_at(r, 1) == SIGN_TEXT) {
        str_addc(out, ' ');
        add_string(out, &r->tokens[r->at + 1]);
        r->at += 2;
    }
    str_addf(out, ", %d)", words);
}

/* Appends nothing when there is nothing. */
static void read_primary(struct reading *r, struct str *out)
{
    switch (sign_at(r, 0)) {
    case SIGN_TEXT:
        if (sign_at(r, 1) == SIGN_NEAR && sign_at(r, 2) == SIGN_TEXT)
            read_near_chain(r, out);
        else
            add_term(out, &r->tokens[r->at++]);
        return;
    case SIGN_NEAR:
        if (r->tokens[r->at].list && sign_at(r, 1) == SIGN_OPEN)
            read_near_list(r, out);
        else
            r->at++;
        return;
    case SIGN_OPEN: {
        AUTO_STR struct str inner = STR_INIT;

        r->at++;
        if (++r->depth <= DEPTH_MAX) {
            read_or(r, &inner);
            if (inner.len)
                str_addf(out, "(%s)", str_c(&inner));
        }
        r->depth--;
        r->at += sign_at(r, 0) == SIGN_CLOSE;
        return;
    }
    default:
        r->at++;
    }
}

static void join(struct str *list, const char *with, const struct str *one)
{
    if (!one->len)
        return;
    if (list->len)
        str_add(list, with);
    str_add(list, str_c(one));
}

/* All of `yes`, and none of `no`. What is only left out finds nothing by itself. */
static void read_and(struct reading *r, struct str *out)
{
    AUTO_STR struct str yes = STR_INIT;
    AUTO_STR struct str no = STR_INIT;

    while (sign_at(r, 0) != SIGN_END && sign_at(r, 0) != SIGN_OR) {
        AUTO_STR struct str one = STR_INIT;
        bool not = false;

        if (sign_at(r, 0) == SIGN_CLOSE) {
            if (r->depth > 0)
                break;
            r->at++; /* one that nothing opened */
            continue;
        }
        while (sign_at(r, 0) == SIGN_NOT || sign_at(r, 0) == SIGN_AND)
            not ^= r->tokens[r->at++].sign == SIGN_NOT;
        if (sign_at(r, 0) == SIGN_END || sign_at(r, 0) == SIGN_OR || sign_at(r, 0) == SIGN_CLOSE)
            continue;
        read_primary(r, &one);
        join(not ? &no : &yes, not ? " OR " : " AND ", &one);
    }
    if (yes.len && no.len)
        str_addf(out, "(%s) NOT (%s)", str_c(&yes), str_c(&no));
    else
        str_add(out, str_c(&yes));
}

static void read_or(struct reading *r, struct str *out)
{
    size_t n = 0;

    for (;;) {
        AUTO_STR struct str one = STR_INIT;

        read_and(r, &one);
        if (one.len) {
            str_addf(out, "%s(%s)", n ? " OR " : "", str_c(&one));
            n++;
        }
        if (sign_at(r, 0) != SIGN_OR)
            return;
        r->at++;
    }
}

static int read_all(struct reading *r, struct str *out, struct error *err)
{
    size_t n = 0, before = out->len;

    for (size_t i = 0; i < r->len; i++)
        n += r->tokens[i].sign == SIGN_TEXT;
    if (n > QUERY_WORDS)
        return error_set(err, 0, "more than %d words to look for: take the rarest of them",
                         QUERY_WORDS);
    read_or(r, out);
    if (out->len > before)
        return 1;
    return error_set(err, 0,
                     n ? "it only says what is not wanted: add a word to look for"
                       : "there is no word in it to look for: letters or digits are needed");
}

int query_parse(const char *const *args, struct str *out, struct error *err)
{
    struct reading r = {0};
    bool any = false;
    int rc = 0;

    for (; args && *args; args++) {
        any = any || (*args)[strspn(*args, " \t\r\n\v\f")];
        lex(&r, *args);
    }
    if (any)
        rc = read_all(&r, out, err);
    for (size_t i = 0; i < r.len; i++)
        free(r.tokens[i].text);
    free(r.tokens);
    return rc;
}
