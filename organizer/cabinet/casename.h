/*
 * casename: what a folder's name says: a case by the convention (ClientName_CaseType), nearly one,
 * or an ordinary folder. Pure: names in, verdict out.
 */
#ifndef ORGANIZER_CABINET_CASENAME_H
#define ORGANIZER_CABINET_CASENAME_H

#include <stdbool.h>

struct lang;
struct rules;

enum casename_verdict {
    CASENAME_NONE, /* an ordinary folder */
    CASENAME_CASE, /* ClientName_CaseType of the vocabulary (or an alias), "-2024" behind it or not
                    */
    CASENAME_NEAR, /* nearly: `would` is the name that would do */
};

/* Owned strings, NULL where the verdict has none. */
struct casename {
    char *client;    /* as in the name: "Smith-John" */
    char *case_type; /* of the vocabulary, without what follows a '-': "Divorce" */
    char *would;     /* CASENAME_NEAR: "Smith-John_Divorce" */
};

/*
 * Reads a folder's name. Conservative about near misses, for a false one is shown to people until
 * they act: lang's list "folder.everyday" (may be empty; lang may be NULL) has words that make no
 * client ("old", "templates") and case types that are everyday words ("tax", "insurance": these
 * count only behind a comma or a dash).
 */
enum casename_verdict casename_read(const struct rules *rules, const struct lang *lang,
                                    const char *name, struct casename *out);
void casename_clear(struct casename *n);
/* Splits "Smith_Divorce-2024" at its only '_' into owned client and type ("Divorce": up to the
 * first '-'). Returns false, and sets nothing, when it has not that form. */
bool casename_split(const char *name, char **client, char **type);

/* Whether the last part of path could be meant for a case at all: only then is it worth asking how
 * old the folder is. */
bool casename_could_be(const char *path);

#endif
