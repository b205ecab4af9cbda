/* said: what was read of a document, for explain. */
#ifndef ORGANIZER_VERBS_SAID_H
#define ORGANIZER_VERBS_SAID_H

struct content;
struct lang;
struct str;

/* Indented lines for a person. */
void said_text(struct str *out, const struct lang *lang, const struct content *c);
/* Likewise, of a document whose kind is never read. */
void said_silent(struct str *out, const struct lang *lang, const char *kind);
/* A member "content" of a JSON object: what content_facts_json() writes, status, the bytes of its
 * text, and the lines of its first pages. */
void said_json(struct str *out, const struct content *c);

#endif
