/*
 * facts: all that decide() knows of one document and of the cases. Plain data, borrowed strings;
 * whoever fills them keeps them alive during the call. Nothing here comes from anywhere else.
 */
#ifndef ORGANIZER_DECIDE_FACTS_H
#define ORGANIZER_DECIDE_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide/content.h"
#include "decide/date.h"
#include "examine/kind.h"

/* Whose names are made: the card's and the cabinet's `naming:`. */
enum naming { NAMING_STANDARD, NAMING_INBOX, NAMING_EVERYWHERE, NAMING_OFF };

/* Where a document lies. */
enum zone {
    ZONE_OFFICE_INBOX, /* directly in <cabinet>/Inbox */
    ZONE_CASE_INBOX,   /* directly in <case>/Inbox */
    ZONE_STANDARD,     /* directly in a standard folder of a case */
    ZONE_ELSEWHERE,    /* any other folder of a case, at any depth, or the case folder itself */
    ZONE_LEFT_ALONE, /* below Drafts/, As Received/, Restored …/, or a folder that the card leaves
                        alone */
    ZONE_OUTSIDE,    /* in the cabinet but in no case */
};

/* One case, as its card and folder tell it. Lists are NULL-terminated; NULL means empty. */
struct case_facts {
    const char *id;                 /* 32 hex digits */
    const char *path;               /* of its folder, from the cabinet down */
    const char *prefix;             /* "Smith_Divorce": what its documents start with */
    const char *client;             /* "Smith", as in the prefix; may hold '-' */
    const char *case_type;          /* "Divorce", of the vocabulary; without "-2024" */
    const char *const *former;      /* former prefixes, still accepted */
    const char *const *dockets;     /* docket numbers */
    const char *matter;             /* matter number, or NULL */
    const char *const *parties;     /* names of people and firms, as written */
    const char *const *leave_alone; /* folders or glob patterns of names to leave alone */
    const char *const *emails;      /* of the client */
    const char *const *key_documents;
    enum naming naming;
    bool closed;
    bool hold;
    bool restricted; /* not every reader of the cabinet's root may read it */
};

struct router;
struct heading;

/* All cases, sorted by path; the cabinet keeps it and changes it between decisions only. router is
 * the index of their names (decide/route.h), made by who keeps the roster with router_new() each
 * time it changes; NULL costs a walk over all cases for each decision. */
struct roster {
    const struct case_facts *const *cases;
    size_t len;
    const struct router *router;
};

/* Where a document's date may come from. DOCUMENT stands for the four behind it, in this order. */
enum date_source {
    DATE_FROM_NAME,
    DATE_FROM_DOCUMENT,
    DATE_FROM_MAIL,    /* the Date header */
    DATE_FROM_WRITTEN, /* "Dated …", a letter's date line */
    DATE_FROM_FILED,   /* the court's stamp */
    DATE_FROM_TAKEN,   /* EXIF */
    DATE_FROM_FILE,    /* the file's time, for a new arrival in an Inbox only */
    DATE_SOURCES
};

/* What the office decided; see cabinet/config.h. */
struct policy {
    enum naming naming;
    enum date_order date_order;
    enum date_source
        date_from[DATE_SOURCES]; /* tried in this order, the first that is there counts */
    size_t date_from_len;
    int64_t drafts_s;  /* editable documents in standard folders: seconds without change */
    unsigned max_path; /* characters from the cabinet down */
    struct date today; /* in the office's time zone */
};

/* One document. */
struct facts {
    const char *name;   /* its file name: any bytes but '/' and NUL */
    const char *folder; /* its folder inside the case ("" the case folder itself); for
                           ZONE_OFFICE_INBOX "Inbox" */
    enum zone zone;
    const struct case_facts *home; /* the case it lies in; NULL in the office Inbox and outside */
    const struct roster *roster;

    bool read_failed;     /* cannot tell: no reader answered for it */
    const char *read_why; /* then: why, for a person */
    enum kind kind;       /* what its content is, by the reader */
    uint64_t size;        /* bytes */

    struct date arrived;           /* its file time in the office's zone */
    bool new_arrival;              /* came into an Inbox: its file time may serve as the date */
    const struct content *content; /* what it says; NULL while nobody read it. Asked for by
                                      facts_content() only */
    const struct heading *heading; /* of its first page, made from content (decide/heading.h) by
                                      decide(); NULL while nobody read it */
    const struct case_facts *thread_case; /* a mail: the case in which the mail that it answers was
                                             filed; NULL for none, or for several */
    const char *thread_doc;               /* then: that mail's path in the case; may be NULL */
    bool *content_missed;                 /* set when it was asked for and is NULL; may be NULL */
    bool *content_unchecked;              /* the same, when it could only contradict; may be NULL */

    const char *same_as;   /* path in this case of a document with the same content */
    const char *same_mail; /* path in this case of the same mail (Message-ID), other bytes */
    const char *former_of; /* path of the document that had this name before */
    bool late;             /* came after its case was closed */
    bool by_hand;          /* a person named it: never named again by itself */
    bool answered;         /* a person renamed it in an Inbox after it was listed: its name
                              is an answer */
    bool named_lately;     /* filed by us within the hour: a name may still become complete */
    bool undone;           /* taken back by undo and not touched since */
    bool accompanied;      /* has companions (x.pdf.p7s, page_files/): as-is */
    int64_t quiet_s;       /* seconds since its last change */
};

/* "name", "document", "mail", …: as organizer.yaml writes it. */
const char *date_source_name(enum date_source s);
/* -1 for an unknown name. */
int date_source_parse(const char *name);
/* What the document says, or NULL: then it is noted that the answer may be another once it was
 * read. */
const struct content *facts_content(const struct facts *f);
/* The heading of what it says, likewise. */
const struct heading *facts_heading(const struct facts *f);
/* The same for who only checks whether what it says contradicts an answer that is there without: it
 * is noted that nobody checked. */
const struct content *facts_content_to_check(const struct facts *f);
const struct heading *facts_heading_to_check(const struct facts *f);

#endif
