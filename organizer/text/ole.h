/* ole: compound files ([MS-CFB]) as libgsf reads them: streams by name, bounded. */
#ifndef ORGANIZER_TEXT_OLE_H
#define ORGANIZER_TEXT_OLE_H

#include <gsf/gsf.h>

#include "text/parse.h"

/* Opens the document as a compound file; NULL, and the paper says so, when it is none. */
GsfInfile *ole_open(struct paper *p, const struct bytes *b);
/* The whole stream, at most max bytes of it; NULL when there is none. Freed with g_free(). */
uint8_t *ole_stream(GsfInfile *in, const char *name, size_t max, size_t *n);
/* There is a stream or folder of that name. */
bool ole_has(GsfInfile *in, const char *name);
void ole_prepare(void);

#endif
