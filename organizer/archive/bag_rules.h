/*
 * bag_rules: what can be said of a bag, each with the section of RFC 8493 that it is about.
 */
#ifndef ORGANIZER_ARCHIVE_BAG_RULES_H
#define ORGANIZER_ARCHIVE_BAG_RULES_H

#include "archive/bag.h"

enum bag_rule {
    /* bagit.txt */
    BAG_NO_DECLARATION,
    BAG_DECLARATION_BOM,
    BAG_DECLARATION_LINES,
    BAG_DECLARATION_EXTRA,
    BAG_DECLARATION_LABEL,
    BAG_VERSION_BAD,
    BAG_VERSION_UNKNOWN,
    BAG_VERSION_OLD,
    BAG_ENCODING_UNKNOWN,
    BAG_ENCODING_OTHER,
    /* what there has to be */
    BAG_NO_PAYLOAD,
    BAG_NO_MANIFEST,
    BAG_SEVERAL,
    BAG_BESIDE,
    /* tag files as text */
    BAG_TAG_ENCODING,
    BAG_TAG_BOM,
    BAG_TAG_LARGE,
    BAG_TAG_UNREADABLE,
    /* manifests */
    BAG_ALGORITHM_UNKNOWN,
    BAG_ALGORITHM_WEAK,
    BAG_ALGORITHM_NAME,
    BAG_ALGORITHM_NAME_OLD,
    BAG_MANIFEST_LINE,
    BAG_MANIFEST_DIGEST,
    BAG_MANIFEST_STAR,
    BAG_MANIFEST_BLANK,
    BAG_MANIFEST_OUTSIDE,
    BAG_MANIFEST_DOTTED,
    BAG_MANIFEST_TWICE,
    BAG_MANIFEST_TWICE_OLD,
    BAG_MANIFEST_CONFLICT,
    BAG_MANIFEST_NOT_PAYLOAD,
    BAG_MANIFEST_FOLDER,
    BAG_MANIFEST_PERCENT,
    BAG_MANIFEST_BACKSLASH,
    BAG_MANIFEST_NORMAL,
    BAG_TAGMANIFEST_PAYLOAD,
    BAG_TAGMANIFEST_TAGMANIFEST,
    BAG_TAGMANIFEST_LACKS_MANIFEST,
    BAG_TAGMANIFEST_LACKS_TAG,
    BAG_TAGMANIFEST_NONE,
    /* completeness and validity */
    BAG_MISSING,
    BAG_MISSING_FETCH,
    BAG_UNLISTED,
    BAG_UNLISTED_SOME,
    BAG_DIGEST_WRONG,
    BAG_DAMAGED,
    /* bag-info.txt */
    BAG_INFO_LINE,
    BAG_INFO_LABEL,
    BAG_INFO_REPEATED,
    BAG_OXUM_NONE,
    BAG_OXUM_BAD,
    BAG_OXUM_TWICE,
    BAG_OXUM_WRONG,
    BAG_DATE_BAD,
    /* fetch.txt */
    BAG_FETCH_LINE,
    BAG_FETCH_OUTSIDE,
    BAG_FETCH_NOT_PAYLOAD,
    BAG_FETCH_UNLISTED,
    BAG_FETCH_TWICE,
    BAG_FETCH_SIZE,
    BAG_FETCH_URL,
    /* entries */
    BAG_ENTRY_OUTSIDE,
    BAG_ENTRY_NAME,
    BAG_ENTRY_DOTTED,
    BAG_ENTRY_TWICE,
    BAG_ENTRY_LINK,
    BAG_ENTRY_SPECIAL,
    BAG_ENTRY_ENCRYPTED,
    BAG_ENTRY_DOUBT,
    BAG_ARCHIVE_DOUBT,
    BAG_ARCHIVE_DAMAGED,
    BAG_NAME_CASE,
    BAG_NAME_NORMAL,
    BAG_NAME_UNWISE,
    BAG_WITHIN,
    /* NAME.sha256 */
    BAG_SIDECAR_WRONG,
    BAG_SIDECAR_BAD,
    BAG_RECORD_WRONG,
    BAG_RULES
};

/* Tells found of the rule, about file ("" for the whole), with detail behind its sentence unless
 * that is NULL, and counts it. */
void bag_tell(const struct bag_options *o, struct bag_counts *c, enum bag_rule rule,
              const char *file, const char *detail);
/* Whether a finding of that rule means that the bag is not complete (RFC 8493 section 3). */
bool bag_rule_breaks(enum bag_rule rule);

#endif
