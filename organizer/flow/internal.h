/* internal: what the files of flow/ share. Nobody else includes it. */
#ifndef ORGANIZER_FLOW_INTERNAL_H
#define ORGANIZER_FLOW_INTERNAL_H

#include <sys/stat.h>
#include <uv.h>

#include "base/error.h"
#include "base/str.h"
#include "base/table.h"
#include "decide/decide.h"
#include "examine/examiner.h"
#include "file/filer.h"
#include "flow/beside.h"
#include "flow/flights.h"
#include "flow/flow.h"
#include "flow/item.h"
#include "flow/notices.h"
#include "hooks/runner.h"
#include "publish/publish.h"
#include "record/journal.h"
#include "record/known.h"
#include "record/state.h"
#include "search/find.h"
#include "watch/scan.h"
#include "watch/watcher.h"

/* At most this many documents are with readers, hooks and the filer at once; the rest is queued. */
#define FLOW_BUSY_MAX 800
/* Folders whose names are kept: an Inbox, and where its documents go. */
#define FLOW_BESIDES 16
/* With so many under way, what they have in common is asked once. */
#define FLOW_MANY 16
/* With so many that are not with the filer yet, it waits for more before it does a batch. */
#define FLOW_CROWD 64
/* So long nothing is filed after the disk failed, or the private state could not be read. */
#define FLOW_STOPPED_MS 30000
/* A document that could not be read is asked for this often before it is listed. */
#define FLOW_READ_TRIES 3
/* So often it is waited for another item that may hold the document in question: a quarter second. */
#define FLOW_DOUBTS_MAX 6
/* Pages and the catalogue are written when nothing more is under way. Where many came at once they
 * rest, but not longer than this. */
#define FLOW_PAGES_MS 5000
#define FLOW_REST_MS  10000

/* Content that is on its way into a case: a second document with the same waits for the first. */
struct in_flight {
    char key[CASE_ID_SIZE + DIGEST_SIZE];
    bool begun; /* flow.in_flight has it */
    UT_hash_handle hh;
};

/* A notice about a case, a folder or the cabinet, by path and reason. */
struct flow_notice {
    char *key;
    struct notice n;
    UT_hash_handle hh;
};

/* Someone waits in flow_sync(). */
struct sync_waiter {
    uint64_t find;  /* so much must be in the catalogue; set with job */
    uint64_t job;   /* this page job must be done; UINT64_MAX: what came before is under way */
    int64_t until;  /* ticks: so long the filer's last journal lines are waited for */
    int64_t until_text; /* and so long what documents say, */
    int64_t until_scan; /* and pictures that the hook reads */
    flow_done *done;
    void *ctx;
    struct sync_waiter *next;
};

struct sweep; /* sweep.c */
struct pages; /* pages.c */
struct backlog; /* reading.c */
struct takebacks; /* takeback.h */
struct scans;   /* scans.c */
struct integrity; /* integrity.c */
struct night; /* night.h */
struct archiving; /* archiving.h */
struct closings; /* closing.h */
struct nightly; /* nightly.h */
struct sending; /* sending.c */

struct flow {
    uv_loop_t *loop;
    const struct env *env;
    struct log log;
    bool plain_lines, watching, stopping, started;
    struct cabinet cab;
    struct lang *lang;
    struct rules *rules;
    struct retired *retired; /* engine.c: those before a reload, while pages are made of them */
    struct policy policy;
    int64_t today_ns;    /* when policy.today was taken */
    struct state *state; /* this thread's connection; only read */
    uint64_t failures;   /* of its reads, which were made up for: flow_is_blind() */
    int64_t blind_until; /* ticks; 0: there were none since */
    struct known *known; /* what the private state may have, kept by the filer */
    unsigned reading;    /* depth of flow_read_begin() */
    char *folder;        /* flow_parent(): the folder that `folder_fd` is open on, or NULL */
    int folder_fd;
    struct stat folder_stat; /* as it was when it was opened */
    char *new_place; /* to be kept at the start: since.h; or NULL */
    struct matters *matters;
    struct watcher *watcher;
    struct examiner *examiner;
    struct texts *texts;
    struct backlog *backlog;
    struct takebacks *takebacks;
    struct scans *scans;
    struct filer *filer;
    struct hooks *hooks;
    struct items items;
    struct beside beside[FLOW_BESIDES]; /* of the folders that were asked about last */
    struct in_flight *in_flight;
    struct tally *asked;   /* folders of cases that were looked for since flow_read_begin() */
    struct tally *flying;  /* files, documents and paths that are with the filer: flights.h */
    struct flight *flights; /* all of them */
    struct fight *fights;  /* fights.c: documents that somebody renames back */
    uint64_t sync_round;   /* rises with every flow_sync() */
    uint64_t rest_round;   /* the sync in which what stayed of renamed cases was done again */
    unsigned renaming;     /* cases whose documents are getting another prefix */
    struct flow_notice *notices;
    struct sync_waiter *waiters;
    unsigned retries; /* acts of requests that are tried again in a moment */
    bool from_outside;   /* inside a hint of the watcher: somebody did something */
    bool owe_scanned;    /* a scan runs while someone waits: what it finds is owed, too */
    struct sweep *sweep;
    struct pages *pages;
    struct integrity *integrity;
    struct archiving *archiving;
    struct closings *closings;
    struct search *search;           /* finding.h; NULL when it could not be started */
    bool finding_rests;
    unsigned searches;               /* beside the loop */
    struct find_store find_store;    /* when no search has it */
    struct rebuild_waiter *rebuilds; /* finding.c */
    struct nightly *nightly;
    uv_timer_t gone;         /* a case is gone: is it still, in a moment? */
    struct sending *sending; /* while archives are offered to hooks */
    uv_idle_t pump;     /* runs while something is READY and may be taken */
    uv_timer_t due;     /* the earliest WAITING item */
    struct night *night;
    uint64_t filed;     /* documents filed since the start */
    bool unseen_case;   /* one could not be looked at when it started: its pages may lack what was recorded */
    int64_t barred_at;  /* ticks: flow_barred() the last time, */
    unsigned barred;    /* and how often with less than a second between */
    bool resumed;       /* filing goes on, or tries to, since it stopped */
    bool stop_told;     /* that filing stopped is in the log, and nothing was done since */
    int64_t began_ns; /* by the clock of the file system */
    int64_t last_sweep_ns;
    uint64_t swept_folders, swept_entries;
    flow_done *stop_done;
    void *stop_ctx;
    bool wrote_last; /* stopping: the pages were written once more */
};

/* engine.c */
/*
 * A read of the private state failed, which who asked takes for "there is no such row". So nothing
 * is decided or recorded while this is so: the filer refuses whatever is submitted
 * (filer_options.doubts), a document that is looked at is put off (flow_puts_off), and after
 * FLOW_STOPPED_MS, or when somebody asks for a sync, all is looked at again.
 */
bool flow_is_blind(struct flow *f);
/* What the disk or the private state has is believed again. */
void flow_go_on(struct flow *f);
/* Why nothing is filed, or NULL. Borrowed until the next call. */
const char *flow_stopped(struct flow *f);
/* Around many questions to the private state: they are answered from one picture. Never across
 * what changes it to be seen: an act's end. They nest. */
void flow_read_begin(struct flow *f);
void flow_read_end(struct flow *f);
/* As beneath_parent(), for looks: the descriptor is borrowed until the next call or the outermost
 * flow_read_end(), inside of which this must be. Many documents of one folder are looked at in a
 * row; it is resolved once for them. */
int flow_parent(struct flow *f, const char *path, const char **name);
bool flow_has_more_than(const struct flow *f, size_t n); /* under way, and not yet with the filer */
/* Many are under way: what nobody waits for rests, for FLOW_REST_MS at most. */
bool flow_is_crowded(const struct flow *f);
void flow_wake(struct flow *f);          /* there may be work: pump and timers */
void flow_keep_today(struct flow *f); /* before a decision: midnight may have passed */
void flow_today(struct flow *f);         /* policy.today from the clock */
void flow_finish(struct flow *f, struct item *it);             /* done with it */
void flow_later(struct flow *f, struct item *it, int64_t ms);  /* ask again */
/* Ask again in a moment; who waits in flow_sync() waits for that. */
void flow_soon(struct flow *f, struct item *it, int64_t ms);
bool flow_is_idle(const struct flow *f);

/* look.c */
/* Whether what lies at that path, from the cabinet down, is looked at as a document. */
bool flow_may_lie(struct flow *f, const char *path);
/* A card, or a page of ours. */
bool flow_is_own(struct flow *f, const char *path);
/* What lies there, if it is no folder, is no document: it is such, or in the place of a case. */
bool flow_is_of_case(struct flow *f, const char *path);
/* The row of what lies there: 1, 0 for none, -1 when the private state cannot be read. Clear *row with doc_clear(). */
int flow_row_at(struct flow *f, const char *path, struct doc *row);
/* A look at the folder at path, or (beside) at what lies in a folder as path, failed with this errno:
 * when another disk lay over it that is gone again, and of which nothing tells, the folder is scanned. */
void flow_barred(struct flow *f, const char *path, int number);
void flow_barred_beside(struct flow *f, const char *path, int number);
/* Nobody can tell now, with this errno, what is there: not one that is gone. It is looked at again
 * later, but for what stays so (io_is_lasting()). */
void flow_look_in_vain(struct flow *f, struct item *it, int number);
void flow_hint(struct flow *f, const char *path, bool force);
void flow_look(struct flow *f, struct item *it);

/* beside.h: nothing in the folder that flow_parent() opened last, which holds the path, can belong to the
 * item. What is known of the folder, borrowed until the next call; NULL when something may belong to it. */
const struct beside *flow_is_alone(struct flow *f, const char *path, const struct doc_stamp *stamp);

/* identity.c */
enum identity {
    IDENTITY_NEW,       /* a document that was not here before */
    IDENTITY_SAME,      /* the row at its path, nothing changed */
    IDENTITY_EDITED,    /* the row at its path; new bytes or a new inode (saved over) */
    IDENTITY_RENAMED,   /* a row of this case under another name */
    IDENTITY_MOVED_IN,  /* a document of another case, or of the office Inbox: new here */
    IDENTITY_RETURNED,  /* a row that was gone came back, under its path or as its file elsewhere */
    IDENTITY_LINKED,    /* a second name (hard link) of a row's file */
};
struct identified {
    enum identity who;
    struct doc row;  /* the document's own; number 0 for NEW, MOVED_IN and LINKED */
    struct doc from; /* its row in the case (or the Inbox) that it left; number 0: none */
    struct doc over; /* another row at its path, whose file is not there any more; number 0: none */
    bool swapped;    /* the file of `over` lies where `row` was */
    bool moved;      /* `row` had another path */
};
/* Which document is the item, examined, at its path (`inside` the case `case_id`)? The order of
 * evidence is told in identity.c. Clear *id with identified_clear(). */
void flow_identify(struct flow *f, const char *case_id, const char *inside, const struct item *it,
                   struct identified *id);
void identified_clear(struct identified *id);

/* fights.c */
/* Called when a document that was filed before is about to be filed again: true when that happened
 * too often, so that it is to be left alone. */
bool flow_is_fought_over(struct flow *f, const struct doc_stamp *s);
void fights_clear(struct flow *f);

/* judge.c */
void flow_examine(struct flow *f, struct item *it);
void flow_judge(struct flow *f, struct item *it);

/* reading.c */
struct backlog *backlog_new(struct flow *f);
void backlog_free(struct backlog *b);
/* What the item says, as it was read just now; NULL when it was not. */
const struct content *flow_said(const struct item *it);
/* The decision wants to know what the document says: true when it is being read and judged again
 * then; false when there is nothing to read. */
bool flow_read_text(struct flow *f, struct item *it);
/* A row was written: what its document says is kept or, when nobody read it yet, read when nothing
 * else is under way. it: the item that it was, or NULL. */
void flow_row_written(struct flow *f, struct item *it, const struct doc *d);
/* The search has not what the document says: it is read, also when the rest of it is kept. What comes
 * of it goes to flow_find_text(), or flow_find_unread(). */
void flow_want_text(struct flow *f, const char *case_id, int64_t number);
/* It was read, after its row was written: kept, told to the search, and decided again. */
void flow_keep_read(struct flow *f, const struct doc *d, const struct content *c, int text);
/* Where the row's document lies, from the cabinet down; NULL when its case is not there. */
char *flow_path_of(struct flow *f, const struct doc *d);
/* Some that are to be read may not be known: they are looked for again. */
void backlog_missed(struct backlog *b);
/* Nothing else is under way, or something is: the backlog goes on, or rests. */
void backlog_wake(struct backlog *b);
/* While somebody waits: looks after ms, and then each second, whether they waited long enough. */
void backlog_bound(struct backlog *b, int64_t ms);
/* Nobody waits any more. */
void backlog_unbound(struct backlog *b);
/* Documents that are still to be read or kept. */
size_t backlog_len(const struct backlog *b);

/* scans.c */
struct scans *scans_new(struct flow *f);
/* Ends the hook that runs. */
void scans_free(struct scans *s);
/* The document is a picture of text: the `text` hook reads it, when there is one. */
void flow_want_scan(struct flow *f, const char *case_id, int64_t number);
/* The text that the hook read, as it is kept in the case: a descriptor, or -1. */
int flow_open_hook_text(struct flow *f, const struct doc *d);
/* Nothing else is under way: the next one. */
void scans_next(struct scans *s);
/* The hook has these bytes: the search, which wants their text, gets what the hook says, and a parser,
 * which sees only a picture, is not to say something else later. False: it has not. */
bool scans_put_off(struct scans *s, const struct doc *d);
/* How many are to be read. */
size_t scans_len(const struct scans *s);
/* Hooks may have come or gone. */
void scans_reload(struct scans *s);
void scans_status(const struct scans *s, struct str *json);

/* record.c */
/* Nothing may be decided about it now: it is looked at again when filing goes on. */
bool flow_puts_off(struct flow *f, struct item *it);
void flow_file(struct flow *f, struct item *it, const struct decision *d, struct matter *home,
               const char *inside, const struct identified *id);
void flow_index(struct flow *f, struct item *it, const struct decision *d, struct matter *home,
                const char *inside, const struct identified *id);
/* Gives the row what the decision says of the document: type, date, words, and why. */
void flow_row_decided(struct doc *to, const struct decision *d);
/* Says that the row's document was filed from there (from the cabinet down), by the hook. */
void flow_tell_filed(struct flow *f, const struct doc *row, const char *from);
/* Says that the act's document needs attention: the line that people see, and the hook. */
void flow_tell_listed(struct flow *f, const struct act *a);
/* The document was filed once, and nobody took that back. */
bool flow_was_filed(const struct doc *row);
void flow_gone(struct flow *f, struct item *it, struct matter *home, struct doc *row);
void flow_record_waiting(struct flow *f, struct item *it, enum reason reason);
/* Lists what is no document: a link, a device, a document that may not be opened. */
void flow_list_plain(struct flow *f, struct item *it, enum reason reason, const char *why);

/* related.c */
/* What lies at path is judged anew although it did not change. Who waits for what is done waits for
 * what follows from it, too. */
void flow_look_again(struct flow *f, const char *path);
/* What an act changes for documents that have to do with its own. */
struct related {
    bool is_new;       /* it was not here before */
    bool gained;       /* it was, and has its content since just now */
    struct digest was; /* the content that it had, when that or its path is another now, or zero */
};
/* The act is done: what was listed or remarked because of its document is judged anew. */
void flow_tell_related(struct flow *f, const struct act *a, const struct related *r);

/* cases.c */
/* What is, became, or ceased to be of the folder at path. fresh: it appeared while we watched. */
void flow_folder(struct flow *f, const char *path, bool fresh);
/* The rights of the folder may have changed: it and the cases below it are looked at again. */
void flow_folder_attributes(struct flow *f, const char *path);
/* How long it takes until a new folder was quiet for the cabinet's settle time; 0: it was. */
int64_t flow_folder_settles_ms(struct flow *f, const char *path);
void flow_card_changed(struct flow *f, const char *card_path);
/* What came of flow_record_case() (casework.h) is written. */
void flow_case_recorded(struct flow *f, const char *path, const char *kind);
/* Tells of cases whose folder or card is not there. */
void flow_check_gone(struct flow *f);
/* The same, when something is told of: where the card went first, the folder may be gone by now. */
void flow_check_gone_again(struct flow *f);
/* Tells of cases that were marked as tampered with. */
void flow_check_tampered(struct flow *f);

/* Nothing in it is looked at: a copy of another case, or one that is being made known or moved just
 * now, whose documents are looked at when that is done. */
static inline bool flow_leaves_alone(const struct matter *m)
{
    return m && (m->untouchable || m->opening || m->moving);
}

/* notices.c; sentence and help are taken over. */
void flow_notice(struct flow *f, enum reason reason, const char *path, char *sentence, char *help);
void flow_notice_about(struct flow *f, enum reason reason, const struct notice_about *about);
/* Tells what a case's card and history give to tell, and no more what they do not give now. */
void flow_notice_case(struct flow *f, const struct matter *m);
void flow_unnotice(struct flow *f, enum reason reason, const char *path);
/* All about exactly this path. */
void flow_unnotice_all(struct flow *f, const char *path);
/* Those about what is not there any more. */
void flow_prune_notices(struct flow *f);

/* renaming.c */
/* Does what the card's "Rename documents: yes" asks for after the case's folder was renamed. */
void flow_rename_documents(struct flow *f, struct matter *m);
/* A document is recorded there: when it came under a former prefix, flow_rename_rest() sees to it.
 */
void flow_may_be_former(struct flow *f, struct matter *m, const char *path);
/* The same for what stayed when it was done last, since we read it ourselves, and for what came
 * since; at the end of a sync, and so of a sweep. */
void flow_rename_rest(struct flow *f);

/* opening.c */
/* Makes a case that the private state does not know its own. adopt: what lies there now is never named
 * by itself. answer may be NULL, as below. */
void flow_take_in(struct flow *f, struct matter *m, bool adopt, flow_answer *answer, void *ctx);
/* Opens a case in a folder: card when there is none, drop box, first journal line. */
void flow_open_case(struct flow *f, const char *path, const char *client, const char *case_type,
                    bool adopt, flow_answer *answer, void *ctx);

/* folders.c */
/* At a sweep of everything: the drop box of the case (or, for "", of the office) at path is made again
 * when it is gone: programs that copy trees leave empty folders behind. */
void flow_inbox_again(struct flow *f, const char *path);
bool flow_folder_in_inbox(struct flow *f, const char *path);
void flow_look_folder(struct flow *f, struct item *it);
/* Whether path lies in a folder dropped into an Inbox of which it is not known yet where it goes. */
bool flow_is_in_waiting_folder(struct flow *f, const char *path);
/* Something changed at path: a folder in an Inbox that it lies in is looked at again. */
void flow_hint_folder_above(struct flow *f, const char *path);

/* tell.c */
/* Runs the hooks for case-opened, case-closed or integrity. why: the code of a reason, or "". */
void flow_tell_case(struct flow *f, const char *event, const struct matter *m, const char *why);
/* The hook integrity for a case whose folder is gone, although it has no archive. */
void flow_tell_gone(struct flow *f, const struct case_row *row);
/* The hook_done of hooks whose answer nobody wants: stopping may go on. ctx is the flow. */
void flow_hook_over(void *ctx, enum hook_answer answer, const char *text);

/* sweep.c */
struct sweep *sweep_new(struct flow *f);
void sweep_free(struct sweep *s);
void flow_scan(struct flow *f, const char *path);
bool sweep_running(const struct sweep *s);
/* Less is queued than there was: a sweep that rests may go on. */
void sweep_wake(struct sweep *s);

/* integrity.c */
struct integrity *integrity_new(struct flow *f);
/* Waits for the case that is being looked at. */
void integrity_free(struct integrity *g);
bool integrity_running(const struct integrity *g);
/* Looks at all journals, and tells of those that are not as they were left. */
void flow_check_journals(struct flow *f);

/* pages.c */
struct pages *pages_new(struct flow *f);
void pages_free(struct pages *p);
void flow_touch(struct flow *f, struct matter *m); /* its pages are out of date; NULL: the cabinet's */
bool pages_clean(const struct pages *p);
bool pages_running(const struct pages *p); /* a job uses rules, language and configuration */
void pages_flush(struct flow *f);
/* The number of the job that will have seen everything so far: the next to start when anything is
 * out of date, else one that is done. */
uint64_t pages_job(const struct pages *p);
/* The number of the last job that is done. */
uint64_t pages_done(const struct pages *p);
uint64_t pages_errors(const struct pages *p);

/* sync.c */
void flow_sync_check(struct flow *f);
/* The flow is closing: who still waits is let go. */
void flow_end_waiters(struct flow *f);

#endif
