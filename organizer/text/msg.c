/* Outlook mails ([MS-OXMSG]): a compound file whose streams are named by MAPI properties. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "examine/source.h"
#include "text/answer.h"
#include "text/charset.h"
#include "text/html.h"
#include "text/ole.h"
#include "text/text.h"

/* [MS-OXPROPS] */
enum {
    SUBJECT = 0x0037,
    HEADERS = 0x007D,
    SENDER_NAME = 0x0C1A,
    SENDER_MAIL = 0x0C1F,
    SENDER_SMTP = 0x5D01,
    BODY = 0x1000,
    HTML = 0x1013,
    MESSAGE_ID = 0x1035,
    REFERENCES = 0x1039,
    REPLY_TO_ID = 0x1042,
    NAME = 0x3001,
    MAIL = 0x3003,
    SMTP = 0x39FE,
    FILE_SHORT = 0x3704,
    FILE_LONG = 0x3707,
    CLASS = 0x001A,
    SENT = 0x0039,
    DELIVERED = 0x0E06,
    CODEPAGE = 0x3FFD,
};

enum { TYPE_TEXT = 0x001F, TYPE_BYTES = 0x001E, TYPE_BINARY = 0x0102 };

struct reader {
    struct paper *paper;
    GsfInfile *in;
    const char *charset; /* of text that is not Unicode */
};

/* A property as UTF-8; NULL when there is none. */
static char *property(const struct reader *r, GsfInfile *in, unsigned id)
{
    static const unsigned types[] = {TYPE_TEXT, TYPE_BYTES, TYPE_BINARY};
    struct str text = STR_INIT;

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char name[32];
        size_t n;
        uint8_t *p;

        snprintf(name, sizeof name, "__substg1.0_%04X%04X", id, types[i]);
        p = ole_stream(in, name, 4 * TEXT_MAX, &n);
        if (!p)
            continue;
        charset_convert(&text, types[i] == TYPE_TEXT ? "UTF-16LE" : r->charset, p, n);
        g_free(p);
        while (text.len > 0 && text.s[text.len - 1] == '\0')
            str_cut(&text, text.len - 1);
        break;
    }
    return text.len ? str_detach(&text) : NULL;
}

static void set(const struct reader *r, unsigned id, char **field)
{
    AUTO_FREE char *text = property(r, r->in, id);

    if (text)
        paper_set(field, text, strlen(text));
}

/* A fixed-size property of the message itself: eight bytes; 0 when there is none. */
static uint64_t number(const struct reader *r, unsigned id)
{
    size_t n;
    uint8_t *p = ole_stream(r->in, "__properties_version1.0", (size_t)1 << 20, &n);
    uint64_t value = 0;

    for (size_t at = 32; p && at + 16 <= n && value == 0; at += 16)
        if (le16(p + at + 2) == id)
            value = le64(p + at + 8);
    g_free(p);
    return value;
}

/* Of a FILETIME: 100 ns since 1601. */
static struct date day_of(uint64_t filetime)
{
    const uint64_t unix_epoch = UINT64_C(116444736000000000);

    if (filetime < unix_epoch || filetime > unix_epoch + UINT64_C(40000000000000000))
        return DATE_NONE;
    return date_of_time((int64_t)(filetime - unix_epoch) * 100, NULL);
}

/* "Name <a@b>", or what there is. */
static char *address(const struct reader *r, GsfInfile *in, unsigned name_id, unsigned smtp_id,
                     unsigned mail_id)
{
    AUTO_FREE char *name = property(r, in, name_id);
    AUTO_FREE char *smtp = property(r, in, smtp_id);
    AUTO_FREE char *mail = smtp ? NULL : property(r, in, mail_id);
    const char *at = smtp ? smtp : mail && strchr(mail, '@') ? mail : NULL;

    if (!at)
        return xstrdup(name);
    if (!name || strcmp(name, at) == 0)
        return xstrdup(at);
    return xasprintf("%s <%s>", name, at);
}

/* Message-IDs, each in <>. */
static void add_ids(struct content *c, const char *s)
{
    while (s && (s = strchr(s, '<'))) {
        size_t n = strcspn(++s, ">");

        if (s[n] == '>')
            paper_list(&c->thread, ANSWER_THREAD, s, n);
        s += n;
    }
}

static void read_ids(const struct reader *r)
{
    struct content *c = &r->paper->content;
    AUTO_FREE char *id = property(r, r->in, MESSAGE_ID);
    AUTO_FREE char *reply = property(r, r->in, REPLY_TO_ID);
    AUTO_FREE char *references = property(r, r->in, REFERENCES);

    if (id) {
        const char *from = id + strspn(id, "< ");

        paper_set(&c->message_id, from, strcspn(from, "> "));
    }
    add_ids(c, reply);
    add_ids(c, references);
}

static void read_children(const struct reader *r)
{
    struct content *c = &r->paper->content;
    int n = gsf_infile_num_children(r->in);

    for (int i = 0; i < n && i < 20000; i++) {
        const char *name = gsf_infile_name_by_index(r->in, i);
        bool person = name && strncmp(name, "__recip_version1.0_", 19) == 0;
        GsfInput *child;

        if (!person && !(name && strncmp(name, "__attach_version1.0_", 20) == 0))
            continue;
        child = gsf_infile_child_by_index(r->in, i);
        if (child && GSF_IS_INFILE(child)) {
            AUTO_FREE char *text = person ? address(r, GSF_INFILE(child), NAME, SMTP, MAIL)
                                          : property(r, GSF_INFILE(child), FILE_LONG);

            if (!text && !person)
                text = property(r, GSF_INFILE(child), FILE_SHORT);
            if (!text && !person)
                text = property(r, GSF_INFILE(child), NAME);
            if (text)
                paper_list(person ? &c->recipients : &c->attachments,
                           person ? ANSWER_RECIPIENTS : ANSWER_FILES, text, strlen(text));
        }
        if (child)
            g_object_unref(child);
    }
}

static void read_body(const struct reader *r)
{
    AUTO_FREE char *text = property(r, r->in, BODY);
    AUTO_FREE char *html = text ? NULL : property(r, r->in, HTML);

    if (html)
        html_read(r->paper, html, strlen(html), NULL);
    for (const char *s = text; s && *s && !paper_full(r->paper);) {
        size_t n = strcspn(s, "\r\n");

        paper_add(r->paper, s, n);
        paper_end(r->paper, (struct look){0});
        s += n + (s[n] != '\0');
    }
}

/* How the mail was sent: IPM.Note.SMIME and the like. */
static void read_class(const struct reader *r)
{
    AUTO_FREE char *class = property(r, r->in, CLASS);

    if (!class || !strcasestr(class, "SMIME"))
        return;
    if (strcasestr(class, "MultipartSigned")) {
        r->paper->content.flags |= CONTENT_IS_SIGNED;
        return;
    }
    r->paper->content.flags |= CONTENT_IS_ENCRYPTED;
    paper_status(r->paper, CONTENT_LOCKED, "content.locked.encrypted");
}

void parse_msg(struct paper *p, const struct bytes *b)
{
    struct reader r = {.paper = p, .in = ole_open(p, b), .charset = "WINDOWS-1252"};
    struct content *c = &p->content;
    AUTO_FREE char *sender = NULL;

    if (!r.in)
        return;
    if (charset_of_codepage((unsigned)number(&r, CODEPAGE)))
        r.charset = charset_of_codepage((unsigned)number(&r, CODEPAGE));
    set(&r, SUBJECT, &c->subject);
    sender = address(&r, r.in, SENDER_NAME, SENDER_SMTP, SENDER_MAIL);
    if (sender)
        paper_set(&c->sender, sender, strlen(sender));
    c->mail_date = day_of(number(&r, SENT));
    if (!date_is_set(c->mail_date))
        c->mail_date = day_of(number(&r, DELIVERED));
    read_ids(&r);
    read_children(&r);
    read_class(&r);
    read_body(&r);
    paper_attachments(p);
    g_object_unref(r.in);
}
