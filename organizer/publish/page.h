/*
 * page: what the writers of the pages share. Internal to publish/.
 *
 * Each page_* and list_* function appends the bytes of one file to out; the same job and the same
 * rows yield the same bytes. An empty result means that there shall be no such file.
 */
#ifndef ORGANIZER_PUBLISH_PAGE_H
#define ORGANIZER_PUBLISH_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "publish/listing.h"
#include "publish/own.h"
#include "publish/publish.h"
#include "publish/tz.h"

#define PAGE_INDEX     "Index.html"
#define PAGE_TABLE     "Index.csv"
#define PAGE_ATTENTION "Needs attention.txt"
#define PAGE_HOW       "How this works.html"
#define ATTENTION_MAX  40 /* lines of Needs attention.txt */

/* A filing, for "filed lately" of the cabinet. Owned strings. */
struct filing {
    int64_t filed_ns;
    size_t case_index; /* in publish_job.cases */
    char *path, *original;
};

/* What the cabinet's page says of a case beside its card. */
struct case_sums {
    size_t documents, attention, waiting;
    int64_t filed_ns; /* the last filing, 0 for none */
    char *archive;    /* its last archive, from the cabinet down, or NULL; owned */
    int64_t archived_ns;
};

/* A case whose folder is gone, and its archive is there. Owned strings. */
struct archived_case {
    char *name, *archive;
    int64_t archived_ns;
};

/* Everything of the cabinet's own pages. Built by cabinet_view_read(); cases that not every
 * reader of the cabinet may read are only counted. */
struct cabinet_view {
    struct listing office;  /* the office's Inbox and the cabinet's notices */
    struct notice *notices; /* the job's without those that tell of restricted cases; borrowed
                               strings, owned array */
    size_t notices_len;
    struct case_sums *sums; /* one for every case of the job; zero for restricted ones */
    size_t sums_len;
    char *night; /* what came of the last one, in a sentence; NULL when there was none; owned */
    size_t restricted;
    struct archived_case *gone; /* in path order */
    size_t gone_len, gone_cap;
    struct filing *filings; /* newest first, at most RECENT_MAX */
    size_t filings_len;
};

/* Reads what the pages of the cabinet show. 0, or -1 with err; clear it either way. */
int cabinet_view_read(struct cabinet_view *v, struct state *s, const struct publish_job *job,
                      const struct tz *z, struct error *err);
void cabinet_view_clear(struct cabinet_view *v);

/* Each appends one file's text to out, which is passed on on the way where it may be long: a case's Index.html, Index.csv, Needs attention.txt; the
 * cabinet's Index.html, Needs attention.txt and How this works.html. Nothing can fail. */
void page_case(struct own_text *out, const struct publish_job *job, const struct page_case *c,
               const struct listing *l, const struct tz *z);
void csv_case(struct own_text *out, const struct publish_job *job, const struct listing *l,
              const struct tz *z);
void attention_case(struct str *out, const struct publish_job *job, const struct listing *l);
void page_cabinet(struct str *out, const struct publish_job *job, const struct cabinet_view *v,
                  const struct tz *z);
void attention_cabinet(struct str *out, const struct publish_job *job,
                       const struct cabinet_view *v);
void page_how(struct str *out, const struct publish_job *job);

/* Parts of pages (parts.c). */

/* "1 document", "12 documents": lang key.one or key.many with {n}. The caller frees it. */
char *count_text(const struct lang *lang, const char *key, size_t n);
/* The sentence under key, escaped, in <tag class="class">. */
void say(struct str *out, const struct lang *lang, const char *tag, const char *class,
         const char *key);
/* <dt>label</dt><dd>value</dd> in a <div>; nothing when value is NULL or "". */
void fact(struct str *out, const struct lang *lang, const char *key, const char *value);
/* The priority as a coloured word; nothing for NULL or "". */
void priority_chip(struct str *out, const struct lang *lang, const char *priority);
/* 0 high, 1 normal or unknown, 2 low. */
int priority_rank(const char *priority);
/* The section of what needs attention: groups by reason, each item with the act that helps. */
void attention_groups(struct str *out, const struct lang *lang, const struct item *items, size_t n);
/* The heading of a reason's group, lang "group.<code>". The caller frees it. */
char *group_heading(const struct lang *lang, enum reason r);
/* All n (two or more) have the same help. */
bool items_same_help(const struct item *items, size_t n);
/* All n (two or more) are told the same, but for their names. */
bool items_same_sentence(const struct item *items, size_t n);
/* Where the sentence names the item; NULL when it does not. */
const char *item_name_at(const struct item *item);
/* The sentence with the item's name in it as a link that shows where it lies; a link and the
 * sentence when it is not named. */
void item_sentence(struct str *out, const struct item *item);
/* "MotionToDismiss" as "Motion To Dismiss". The caller frees it. */
char *type_words(const char *type);

/* What documents say of themselves (facts.c). What f has is shown. */
void facts_note(struct facts_shown *shown, const struct content_facts *f);
/* "Privileged, work product" for enum content_flag; NULL when it is neither. The caller frees it. */
char *privilege_text(const struct lang *lang, unsigned flags);
/* The cell with title or subject, sender and recipients. */
void about_cell(struct str *out, const struct lang *lang, const struct entry *e);
/* The cell that says whether it is privileged. */
void privilege_cell(struct str *out, const struct lang *lang, const struct entry *e);
/* Notes under the name: pages, encrypted, macros, signed; attachments; why not all was read. */
void facts_notes(struct str *out, const struct lang *lang, const struct entry *e);
/* The find boxes for title or subject, and for people. */
void about_controls(struct str *out, const struct lang *lang);
/* Its number among the choices of the select for privilege: 0 none, 1 marked. */
int privilege_value(const struct entry *e);

/* The section "filed lately": its first table between begin and end; when there are more, a second
 * one after lately_more(), folded away. */
void lately_begin(struct str *out, const struct lang *lang);
void lately_more(struct str *out, const struct lang *lang, size_t n);
void lately_end(struct str *out, bool more);

/* One column of a table that can be sorted. */
struct column {
    const char *key;   /* lang key of its heading */
    const char *class; /* of its cells, or NULL */
    char sort;         /* 'n' by number, 's' by text */
    bool newest_first; /* the first click sorts downwards */
    bool sorted;       /* the page comes sorted by it */
};
/* <table><caption>…</caption><thead>…</thead><tbody> */
void table_begin(struct str *out, const struct lang *lang, const char *caption,
                 const struct column *columns, size_t n);
void table_end(struct str *out);
/* The controls above a table: a find box and selects written by the caller between. */
void controls_begin(struct str *out, const struct lang *lang, const char *label_key);
void controls_end(struct str *out, const struct lang *lang, const char *count_key, size_t n);
void select_begin(struct str *out, const struct lang *lang, const char *name, const char *key);
void select_option(struct str *out, const char *value, const char *text);
void select_end(struct str *out);
/* size in bytes as people read it: "812 KB". */
const char *size_text(uint64_t size, char buf[static 32]);

#endif
