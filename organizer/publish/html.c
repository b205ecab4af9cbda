#include "publish/html.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <string.h>

#include "base/digest.h"
#include "base/utf8.h"
#include "decide/lang.h"

static const char *const style_lines[] = {
#include "publish/style.inc"
};

static const char *const script_lines[] = {
#include "publish/script.inc"
};

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return "\\"; /* utf8_show() would double it */
    }
}

void html_text(struct str *out, const char *s)
{
    while (*s) {
        size_t n = strcspn(s, "&<>\"'\\");

        utf8_show(out, s, n);
        s += n;
        if (*s)
            str_add(out, entity(*s++));
    }
}

void html_bdi(struct str *out, const char *s)
{
    html_element(out, "bdi", NULL, s);
}

void html_attr(struct str *out, const char *name, const char *value)
{
    str_addf(out, " %s=\"", name);
    html_text(out, value);
    str_addc(out, '"');
}

void html_element(struct str *out, const char *tag, const char *class, const char *text)
{
    if (class)
        str_addf(out, "<%s class=\"%s\">", tag, class);
    else
        str_addf(out, "<%s>", tag);
    html_text(out, text);
    str_addf(out, "</%s>", tag);
}

void html_href(struct str *out, const char *path)
{
    static const char safe[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";

    str_add(out, "./");
    for (; *path; path++) {
        if (strchr(safe, *path))
            str_addc(out, *path);
        else
            str_addf(out, "%%%02X", (unsigned)(unsigned char)*path);
    }
}

void html_link(struct str *out, const char *path, const char *text)
{
    str_add(out, "<a href=\"");
    html_href(out, path);
    str_add(out, "\">");
    html_bdi(out, text);
    str_add(out, "</a>");
}

static void add_lines(struct str *out, const char *const *lines, size_t n)
{
    for (size_t i = 0; i < n; i++)
        str_add(out, lines[i]);
}

static void add_script(struct str *out)
{
    add_lines(out, script_lines, sizeof script_lines / sizeof *script_lines);
}

/* 'sha256-…' of the bytes, as Content-Security-Policy wants it. */
static void add_hash(struct str *out, const struct str *bytes)
{
    struct digest d = digest_of(str_c(bytes), bytes->len);
    unsigned char b64[4 * ((DIGEST_SIZE + 2) / 3) + 1];

    EVP_EncodeBlock(b64, d.b, DIGEST_SIZE);
    str_addf(out, "'sha256-%s'", (const char *)b64);
}

static void add_policy(struct str *out, const struct str *style)
{
    AUTO_STR struct str script = STR_INIT;

    add_script(&script);
    str_add(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                 "style-src ");
    add_hash(out, style);
    str_add(out, "; script-src ");
    add_hash(out, &script);
    str_add(out, "; base-uri 'none'; form-action 'none'\">\n");
}

void html_begin(struct str *out, const struct lang *lang, const char *title, const char *extra)
{
    AUTO_STR struct str style = STR_INIT;

    add_lines(&style, style_lines, sizeof style_lines / sizeof *style_lines);
    str_add(&style, extra);
    str_add(out, "<!DOCTYPE html>\n<html");
    html_attr(out, "lang", lang_get(lang, "page.language"));
    str_add(out, ">\n<head>\n<meta charset=\"utf-8\">\n");
    add_policy(out, &style);
    str_add(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                 "<meta name=\"color-scheme\" content=\"light dark\">\n"
                 "<meta name=\"referrer\" content=\"no-referrer\">\n");
    html_element(out, "title", NULL, title);
    str_addf(out, "\n<style>%s</style>\n<script>", str_c(&style));
    add_script(out);
    str_add(out, "</script>\n</head>\n<body>\n");
}

void html_end(struct str *out)
{
    str_add(out, "</body>\n</html>\n");
}
