/*
 * text: the file in memory through which a parser says what a document says.
 *
 * The organizer makes it at its full size, beyond which nobody can write, and passes it on for
 * writing only by position. All text of the document stands from its start on, and at TEXT_MAX a
 * record of its properties and first lines (text/answer.h). When the answer is there nobody can
 * write any more, and when the record was read the file is cut to the text. What stands there is a
 * stranger's: answer_read() checks the record, text_view_open() the text.
 */
#ifndef ORGANIZER_TEXT_TEXT_H
#define ORGANIZER_TEXT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_MAX    ((size_t)8 << 20)   /* bytes of text of one document; what is over is left out */
#define TEXT_RECORD ((size_t)512 << 10) /* bytes for the record */

/* A new one. -1 with errno. */
int text_file_new(void);

/* All text of a document, to be read; not NUL-terminated. */
struct text_view {
    const char *s; /* UTF-8, lines ended by '\n', no other controls; "" when there is none */
    size_t len;
    void *map;
    size_t map_len;
};

/* Opens the text of len bytes (content.text_len) in fd. Reads all of it, so that it takes some
 * milliseconds for a megabyte. 0, or -1 with errno: EBADMSG when it is not what it may be. */
int text_view_open(struct text_view *v, int fd, uint64_t len);
void text_view_close(struct text_view *v);

#endif
