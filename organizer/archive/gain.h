/* gain: a cheap look at whether compressing a document would gain anything. */
#ifndef ORGANIZER_ARCHIVE_GAIN_H
#define ORGANIZER_ARCHIVE_GAIN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Looks at a few blocks spread over the n bytes, and how unevenly each uses the 256 values that a
 * byte can have. Text, mail and tables use few; JPEG and the streams of PDF and Office files use all
 * alike. True when so many blocks are uneven that a twentieth or more would be gained.
 */
bool gain_expected(const void *bytes, size_t n);

#endif
