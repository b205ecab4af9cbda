/* vocab: how far apart two words are, for "did you mean". */
#ifndef ORGANIZER_DECIDE_VOCAB_H
#define ORGANIZER_DECIDE_VOCAB_H

#include <stddef.h>

/* Number of letters to insert, drop, change, or swap with a neighbour (Damerau-Levenshtein, no
 * letter touched twice) to make one word of the other; what is over most comes back as most + 1.
 * Words over 63 bytes are most + 1 apart. */
size_t word_distance(const char *a, const char *b, size_t most);

#endif
