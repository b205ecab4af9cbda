#include "decide/reason.h"

#include <string.h>

static const char *const codes[REASON_COUNT] = {
    [REASON_NONE] = "none",
    [REASON_OTHER_CASE] = "other-case",
    [REASON_TAMPERED] = "tampered",
    [REASON_COPIED_CASE] = "copied-case",
    [REASON_CHANGED_UNREAD] = "changed-unread",
    [REASON_MISSING] = "missing",
    [REASON_NOT_KEPT] = "not-kept",
    [REASON_PROGRAM] = "program",
    [REASON_CONTRADICTION] = "contradiction",
    [REASON_READER_FAILED] = "reader-failed",
    [REASON_WHICH_CASE] = "which-case",
    [REASON_UNKNOWN_TYPE] = "unknown-type",
    [REASON_TWO_TYPES] = "two-types",
    [REASON_NO_DATE] = "no-date",
    [REASON_AMBIGUOUS_DATE] = "ambiguous-date",
    [REASON_IMPOSSIBLE_DATE] = "impossible-date",
    [REASON_FUTURE_DATE] = "future-date",
    [REASON_ANCIENT_DATE] = "ancient-date",
    [REASON_TWO_DATES] = "two-dates",
    [REASON_BAD_NAME] = "bad-name",
    [REASON_DECEPTIVE_NAME] = "deceptive-name",
    [REASON_TOO_LONG] = "too-long",
    [REASON_ALREADY_FILED] = "already-filed",
    [REASON_KEEPS_NAME] = "keeps-name",
    [REASON_WAITING_LONG] = "waiting-long",
    [REASON_EMPTY] = "empty",
    [REASON_LINK] = "link",
    [REASON_HARD_LINK] = "hard-link",
    [REASON_TWO_NAMES] = "two-names",
    [REASON_CARD] = "card",
    [REASON_NEAR_MISS] = "near-miss",
    [REASON_NO_CASE] = "no-case",
    [REASON_CASE_RENAMED] = "case-renamed",
    [REASON_NOT_ARCHIVED] = "not-archived",
    [REASON_NOT_CLOSED] = "not-closed",
    [REASON_CLOSED_CASE] = "closed-case",
    [REASON_ON_HOLD] = "on-hold",
    [REASON_FOUGHT_OVER] = "fought-over",
    [REASON_NO_PERMISSION] = "no-permission",
    [REASON_OTHER_DISK] = "other-disk",
    [REASON_WATCH_LIMIT] = "watch-limit",
    [REASON_OWN_FILE] = "own-file",
    [REASON_VETOED] = "vetoed",
    [REASON_SAME_CONTENT] = "same-content",
    [REASON_UNDONE] = "undone",
    [REASON_CONFLICT_COPY] = "conflict-copy",
    [REASON_NEW_VERSION] = "new-version",
    [REASON_BY_HAND] = "by-hand",
    [REASON_AS_IS] = "as-is",
    [REASON_DRAFT] = "draft",
    [REASON_SUGGESTED] = "suggested",
};

const char *reason_code(enum reason r)
{
    return r < REASON_COUNT ? codes[r] : "none";
}

enum reason reason_parse(const char *code)
{
    for (enum reason r = REASON_NONE; r < REASON_COUNT; r++)
        if (strcmp(codes[r], code) == 0)
            return r;
    return REASON_NONE;
}

bool reason_is_not_to_open(enum reason r)
{
    return r == REASON_PROGRAM || r == REASON_DECEPTIVE_NAME || r == REASON_LINK;
}

bool reason_is_attention(enum reason r)
{
    return r > REASON_NONE && r < REASON_FIRST_REMARK;
}

bool reason_is_copy(enum reason r)
{
    return r == REASON_ALREADY_FILED || r == REASON_SAME_CONTENT;
}

bool reason_is_not_whole(enum reason r)
{
    return r == REASON_NOT_KEPT || r == REASON_CHANGED_UNREAD;
}
