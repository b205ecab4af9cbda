/* Mail and mailboxes, by GMime. */
#include <gmime/gmime.h>
#include <string.h>

#include "base/utf8.h"
#include "text/answer.h"
#include "text/charset.h"
#include "text/html.h"
#include "text/parse.h"
#include "text/text.h"

#define BYTES_MAX ((size_t)48 << 20) /* of a mail; what is behind are parts of attachments */
#define PARTS_MAX 2000
#define DEPTH_MAX 20
#define MAILS_MAX 5000 /* of a mailbox */

/* A mail at work. */
struct reader {
    struct paper *paper;
    unsigned parts;
    bool has_text;           /* a text part was read: its twin in HTML is not */
    GMimePart *html;         /* the first one, borrowed */
    bool inside;             /* a mail within the mail: its head says nothing of the outer one */
};

static GMimeParserOptions *options;

void mail_prepare(void)
{
    static const char mail[] = "From: a <a@b.c>\nSubject: =?iso-8859-1?q?x=FC?=\n"
                               "Content-Type: text/plain; charset=utf-8\n\nx\n";
    struct paper none;
    struct bytes b = {(const uint8_t *)mail, sizeof mail - 1, KIND_EML};

    g_mime_init();
    options = g_mime_parser_options_new();
    paper_open(&none, -1);
    parse_mail(&none, &b);
    content_clear(&none.content);
    str_clear(&none.line);
    str_clear(&none.buffer);
}

/* ---- the head -------------------------------------------------------------------------------- */

static void set(char **field, const char *s)
{
    if (s)
        paper_set(field, s, strlen(s));
}

/* "Name <a@b>" or "a@b", not encoded. */
static char *address_text(InternetAddress *a)
{
    return internet_address_to_string(a, NULL, FALSE);
}

/* Those of a group one by one. */
static void add_addresses(struct content *c, InternetAddressList *list, int depth)
{
    int n = list ? internet_address_list_length(list) : 0;

    for (int i = 0; i < n && i < ANSWER_RECIPIENTS; i++) {
        InternetAddress *a = internet_address_list_get_address(list, i);
        char *text;

        if (INTERNET_ADDRESS_IS_GROUP(a) && depth < 3) {
            add_addresses(c, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(a)),
                          depth + 1);
            continue;
        }
        text = address_text(a);
        if (text)
            paper_list(&c->recipients, ANSWER_RECIPIENTS, text, strlen(text));
        g_free(text);
    }
}

/* Message-IDs of a header, without <>. */
static void add_ids(struct content *c, GMimeObject *o, const char *header)
{
    const char *value = g_mime_object_get_header(o, header);
    GMimeReferences *ids = value ? g_mime_references_parse(options, value) : NULL;
    int n = ids ? g_mime_references_length(ids) : 0;

    /* The last are the nearest. */
    for (int i = n; i-- > 0;) {
        const char *id = g_mime_references_get_message_id(ids, i);

        if (id)
            paper_list(&c->thread, ANSWER_THREAD, id, strlen(id));
    }
    if (ids)
        g_mime_references_free(ids);
}

static struct date day_of(GDateTime *t)
{
    int year, month, day;
    struct date d;

    if (!t)
        return DATE_NONE;
    g_date_time_get_ymd(t, &year, &month, &day);
    d = (struct date){(int16_t)year, (uint8_t)month, (uint8_t)day};
    return date_exists(d) ? d : DATE_NONE;
}

static void read_head(struct paper *p, GMimeMessage *m)
{
    static const GMimeAddressType types[] = {GMIME_ADDRESS_TYPE_TO, GMIME_ADDRESS_TYPE_CC};
    struct content *c = &p->content;
    InternetAddressList *from = g_mime_message_get_from(m);

    set(&c->subject, g_mime_message_get_subject(m));
    if (!from || internet_address_list_length(from) == 0)
        from = g_mime_message_get_sender(m);
    if (from && internet_address_list_length(from) > 0) {
        char *text = address_text(internet_address_list_get_address(from, 0));

        set(&c->sender, text);
        g_free(text);
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        add_addresses(c, g_mime_message_get_addresses(m, types[i]), 0);
    set(&c->message_id, g_mime_message_get_message_id(m));
    add_ids(c, GMIME_OBJECT(m), "In-Reply-To");
    add_ids(c, GMIME_OBJECT(m), "References");
    c->mail_date = day_of(g_mime_message_get_date(m));
}

/* ---- the body -------------------------------------------------------------------------------- */

/* The part's bytes, decoded and as UTF-8. */
static void part_text(GMimePart *part, struct str *out)
{
    GMimeDataWrapper *data = g_mime_part_get_content(part);
    GMimeStream *stream = g_mime_stream_mem_new();
    const char *set = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
    GByteArray *bytes;
    size_t mark;

    if (data && g_mime_data_wrapper_write_to_stream(data, stream) >= 0) {
        bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
        size_t n = bytes->len < 4 * TEXT_MAX ? bytes->len : 4 * TEXT_MAX;

        /* Mails say nothing, or us-ascii, and mean what they have. */
        if (!set || strcasecmp(set, "us-ascii") == 0 ||
            (strcasecmp(set, "utf-8") == 0 && !utf8_valid((const char *)bytes->data, n)) ||
            !charset_convert(out, g_mime_charset_iconv_name(set), bytes->data, n)) {
            set = charset_guess(bytes->data, n, &mark);
            charset_convert(out, set, bytes->data + mark, n - mark);
        }
    }
    g_object_unref(stream);
}

static void add_plain(struct paper *p, const char *s, size_t n)
{
    const char *end = s + n;

    while (s < end && !paper_full(p)) {
        size_t len = strcspn(s, "\r\n");

        len = len < (size_t)(end - s) ? len : (size_t)(end - s);
        paper_add(p, s, len);
        paper_end(p, (struct look){0});
        s += len + 1;
    }
}

/* The line of s that begins so, or NULL. */
static const char *line_of(const char *s, const char *begin)
{
    const char *at = strstr(s, begin);

    while (at && at > s && at[-1] != '\n')
        at = strstr(at + 1, begin);
    return at;
}

/* OpenPGP in the midst of a text (RFC 4880, 6.2 and 7): what is encrypted is no text. */
static void add_armoured(struct paper *p, const char *s)
{
    const char *sealed = line_of(s, "-----BEGIN PGP MESSAGE-----"), *end;

    if (line_of(s, "-----BEGIN PGP SIGNED MESSAGE-----"))
        p->content.flags |= CONTENT_IS_SIGNED;
    if (sealed) {
        p->content.flags |= CONTENT_IS_ENCRYPTED;
        add_plain(p, s, (size_t)(sealed - s));
        end = line_of(sealed, "-----END PGP MESSAGE-----");
        s = end ? end + strcspn(end, "\n") : "";
    }
    add_plain(p, s, strlen(s));
}

static void read_plain(struct reader *r, GMimePart *part)
{
    struct str text = STR_INIT;

    part_text(part, &text);
    /* Of what is behind a NUL nothing is lost. */
    for (size_t i = 0; i < text.len; i++)
        if (!text.s[i])
            text.s[i] = ' ';
    add_armoured(r->paper, str_c(&text));
    r->has_text = true;
    str_clear(&text);
}

static void read_html_part(struct reader *r, GMimePart *part)
{
    struct str text = STR_INIT;

    part_text(part, &text);
    html_read(r->paper, str_c(&text), text.len, NULL);
    str_clear(&text);
}

static void add_attachment(struct reader *r, const char *name)
{
    if (name)
        paper_list(&r->paper->content.attachments, ANSWER_FILES, name, strlen(name));
}

static bool is_attachment(GMimePart *part)
{
    const char *how = g_mime_object_get_disposition(GMIME_OBJECT(part));

    return (how && strcasecmp(how, "attachment") == 0) || g_mime_part_get_filename(part);
}

/* Signed and encrypted mail of both kinds (RFC 8551, RFC 3156). */
static void note_security(struct reader *r, GMimeContentType *type)
{
    struct content *c = &r->paper->content;
    const char *smime = g_mime_content_type_get_parameter(type, "smime-type");
    bool pkcs7 = g_mime_content_type_is_type(type, "application", "pkcs7-mime") ||
                 g_mime_content_type_is_type(type, "application", "x-pkcs7-mime");

    if (g_mime_content_type_is_type(type, "multipart", "signed") ||
        (pkcs7 && smime && strncasecmp(smime, "signed", 6) == 0))
        c->flags |= CONTENT_IS_SIGNED;
    else if (g_mime_content_type_is_type(type, "multipart", "encrypted") || pkcs7)
        c->flags |= CONTENT_IS_ENCRYPTED;
}

static void read_object(struct reader *r, GMimeObject *o, int depth);

static void read_part(struct reader *r, GMimePart *part, GMimeContentType *type)
{
    bool text = g_mime_content_type_is_type(type, "text", "*");

    if (is_attachment(part) && !(r->parts == 1 && text)) {
        const char *name = g_mime_part_get_filename(part);

        if (!g_mime_content_type_is_type(type, "application", "pkcs7-signature") &&
            !g_mime_content_type_is_type(type, "application", "x-pkcs7-signature") &&
            !g_mime_content_type_is_type(type, "application", "pgp-signature"))
            add_attachment(r, name ? name : "");
    } else if (g_mime_content_type_is_type(type, "text", "html")) {
        if (!r->html)
            r->html = part;
    } else if (text) {
        read_plain(r, part);
    }
}

/* A mail that was forwarded whole: its subject is its name, its text is searched for. */
static void read_inner(struct reader *r, GMimeMessage *m, int depth)
{
    const char *subject = g_mime_message_get_subject(m);
    struct reader inner = {.paper = r->paper, .parts = r->parts, .inside = true};
    bool was = r->paper->aside;

    add_attachment(r, subject);
    r->paper->aside = true;
    if (subject)
        paper_add(r->paper, subject, strlen(subject));
    paper_end(r->paper, (struct look){0});
    if (g_mime_message_get_mime_part(m))
        read_object(&inner, g_mime_message_get_mime_part(m), depth + 1);
    if (!inner.has_text && inner.html)
        read_html_part(&inner, inner.html);
    r->paper->aside = was;
    r->parts = inner.parts;
}

static void read_object(struct reader *r, GMimeObject *o, int depth)
{
    GMimeContentType *type = g_mime_object_get_content_type(o);

    if (++r->parts > PARTS_MAX || depth > DEPTH_MAX || paper_is_late()) {
        paper_status(r->paper, CONTENT_PART, "content.part.size");
        return;
    }
    note_security(r, type);
    if (GMIME_IS_MULTIPART(o)) {
        int n = g_mime_multipart_get_count(GMIME_MULTIPART(o));

        for (int i = 0; i < n && r->parts <= PARTS_MAX; i++)
            read_object(r, g_mime_multipart_get_part(GMIME_MULTIPART(o), i), depth + 1);
    } else if (GMIME_IS_MESSAGE_PART(o)) {
        GMimeMessage *m = g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));

        if (m)
            read_inner(r, m, depth);
    } else if (GMIME_IS_PART(o)) {
        read_part(r, GMIME_PART(o), type);
    }
}

static void read_body(struct paper *p, GMimeMessage *m)
{
    struct reader r = {.paper = p};

    if (g_mime_message_get_mime_part(m))
        read_object(&r, g_mime_message_get_mime_part(m), 0);
    if (!r.has_text && r.html)
        read_html_part(&r, r.html);
}

/* What cannot be read without the key. */
static void note_locked(struct paper *p)
{
    if (p->content.flags & CONTENT_IS_ENCRYPTED && p->content.lines_len == 0)
        paper_status(p, CONTENT_LOCKED, "content.locked.encrypted");
}

/* ---- one mail, many mails -------------------------------------------------------------------- */

static GMimeParser *parser_for(const void *p, size_t n, GMimeFormat format)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(p, n);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);

    g_mime_parser_set_format(parser, format);
    g_object_unref(stream);
    return parser;
}

/* The first bytes of a mail that are no header: a byte order mark, empty lines, a mailbox's line. */
static size_t before_head(const uint8_t *p, size_t n)
{
    size_t at = n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

    while (at < n && (p[at] == '\r' || p[at] == '\n'))
        at++;
    return at;
}

void parse_mail(struct paper *p, const struct bytes *b)
{
    size_t skip = before_head(b->p, b->n), n = b->n - skip;
    GMimeParser *parser = parser_for(b->p + skip, n < BYTES_MAX ? n : BYTES_MAX,
                                     GMIME_FORMAT_MESSAGE);
    GMimeMessage *m = g_mime_parser_construct_message(parser, options);

    if (!m) {
        paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
        return;
    }
    if (n > BYTES_MAX)
        paper_status(p, CONTENT_PART, "content.part.size");
    read_head(p, m);
    read_body(p, m);
    note_locked(p);
    paper_attachments(p);
    g_object_unref(m);
    g_object_unref(parser);
}

/* A mailbox is searched for all of its mails; its own facts are those of none. */
void parse_mbox(struct paper *p, const struct bytes *b)
{
    GMimeParser *parser =
        parser_for(b->p, b->n < BYTES_MAX ? b->n : BYTES_MAX, GMIME_FORMAT_MBOX);

    for (unsigned i = 0; i < MAILS_MAX && !g_mime_parser_eos(parser) && !paper_full(p); i++) {
        GMimeMessage *m = g_mime_parser_construct_message(parser, options);
        const char *subject = m ? g_mime_message_get_subject(m) : NULL;

        if (!m)
            break;
        p->content.pages++;
        if (subject)
            paper_add(p, subject, strlen(subject));
        paper_end(p, (struct look){.heading = true});
        read_body(p, m);
        paper_page(p);
        g_object_unref(m);
    }
    p->content.flags &= ~(unsigned)(CONTENT_IS_SIGNED | CONTENT_IS_ENCRYPTED);
    paper_attachments(p);
    if (b->n > BYTES_MAX || !g_mime_parser_eos(parser))
        paper_status(p, CONTENT_PART, "content.part.size");
    if (p->content.pages == 0)
        paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
    g_object_unref(parser);
}

/* A saved web page is a mail whose first HTML part is the page. */
void parse_mht(struct paper *p, const struct bytes *b)
{
    GMimeParser *parser =
        parser_for(b->p, b->n < BYTES_MAX ? b->n : BYTES_MAX, GMIME_FORMAT_MESSAGE);
    GMimeMessage *m = g_mime_parser_construct_message(parser, options);

    if (!m) {
        paper_status(p, CONTENT_BROKEN, "content.broken.damaged");
        return;
    }
    set(&p->content.title, g_mime_message_get_subject(m));
    read_body(p, m);
    g_object_unref(m);
    g_object_unref(parser);
}

/* S/MIME and OpenPGP as files of their own. What is signed and what is encrypted they tell in their
 * first bytes (RFC 5652: the OID of signedData, envelopedData, authEnvelopedData). */
void parse_sealed(struct paper *p, const struct bytes *b)
{
    static const uint8_t pkcs7[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01};
    size_t n = b->n < 64 ? b->n : 64;
    const uint8_t *oid = n ? memmem(b->p, n, pkcs7, sizeof pkcs7) : NULL;
    size_t at = oid ? (size_t)(oid - b->p) + sizeof pkcs7 : n;
    bool enveloped = at + 2 <= n && ((b->p[at] == 7 && b->p[at + 1] == 3) || b->p[at] == 9);

    if ((at + 2 <= n && b->p[at] == 7 && b->p[at + 1] == 2) ||
        (n && memmem(b->p, n, "BEGIN PGP SIGN", 14)))
        p->content.flags |= CONTENT_IS_SIGNED;
    if (!enveloped && !(n && memmem(b->p, n, "BEGIN PGP MESSAGE", 17)))
        return;
    p->content.flags |= CONTENT_IS_ENCRYPTED;
    paper_status(p, CONTENT_LOCKED, "content.locked.encrypted");
}
