#include "archive/bag_rules.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

/* What a finding does to the answer. */
enum effect {
    ADVISES, /* legal, but unwise */
    BREAKS,  /* the bag is not complete */
    SPOILS,  /* complete, but not valid */
};

#define DECLARATION "RFC 8493 section 2.1.1"
#define PAYLOAD     "RFC 8493 section 2.1.2"
#define MANIFEST    "RFC 8493 section 2.1.3"
#define TAGMANIFEST "RFC 8493 section 2.2.1"
#define INFO        "RFC 8493 section 2.2.2"
#define FETCH       "RFC 8493 section 2.2.3"
#define TEXT        "RFC 8493 section 2.3"
#define ALGORITHM   "RFC 8493 section 2.4"
#define COMPLETE    "RFC 8493 section 3"
#define PRACTICE    "RFC 8493 section 5"
#define SECURITY    "RFC 8493 section 6"
#define SERIALIZED  "BagIt 0.97 section 4"
#define ARCHIVE     "archive"
#define SIDECAR     "sha256sum(1)"
#define RECORD      "journal"

static const struct {
    enum effect effect;
    const char *rule, *text;
} rules[] = {
    [BAG_NO_DECLARATION] = {BREAKS, DECLARATION,
                            "there is no bagit.txt: this is no bag, or a part of one"},
    [BAG_DECLARATION_BOM] = {BREAKS, DECLARATION, "it begins with a byte-order mark"},
    [BAG_DECLARATION_LINES] = {BREAKS, DECLARATION, "it has to have two lines"},
    [BAG_DECLARATION_EXTRA] = {BREAKS, DECLARATION, "it has more than its two lines"},
    [BAG_DECLARATION_LABEL] = {BREAKS, DECLARATION,
                               "its lines have to be \"BagIt-Version: M.N\" and "
                               "\"Tag-File-Character-Encoding: ENCODING\""},
    [BAG_VERSION_BAD] = {BREAKS, DECLARATION, "the version has to be two numbers, as in 1.0"},
    [BAG_VERSION_UNKNOWN] = {BREAKS, DECLARATION, "this version of BagIt is not known here"},
    [BAG_VERSION_OLD] = {ADVISES, DECLARATION, "an old version of BagIt; 1.0 is of 2018"},
    [BAG_ENCODING_UNKNOWN] = {BREAKS, DECLARATION,
                              "tag files in this encoding cannot be read here"},
    [BAG_ENCODING_OTHER] = {ADVISES, DECLARATION, "UTF-8 is recommended for tag files"},
    [BAG_NO_PAYLOAD] = {BREAKS, PAYLOAD, "there is no folder data"},
    [BAG_NO_MANIFEST] = {BREAKS, MANIFEST, "there is no payload manifest (manifest-sha512.txt)"},
    [BAG_SEVERAL] = {BREAKS, SERIALIZED, "there are several bags in it; one was looked at"},
    [BAG_BESIDE] = {ADVISES, SERIALIZED, "it lies beside the bag, and nothing vouches for it"},
    [BAG_TAG_ENCODING] = {BREAKS, TEXT, "it is not in the encoding that bagit.txt says"},
    [BAG_TAG_BOM] = {ADVISES, TEXT, "it begins with a byte-order mark"},
    [BAG_TAG_LARGE] = {BREAKS, TEXT, "it is too large to be read as a tag file"},
    [BAG_TAG_UNREADABLE] = {BREAKS, TEXT, "it cannot be read"},
    [BAG_ALGORITHM_UNKNOWN] = {BREAKS, ALGORITHM,
                               "digests of this kind cannot be computed here; nothing in it was "
                               "compared"},
    [BAG_ALGORITHM_WEAK] = {ADVISES, ALGORITHM,
                            "MD5 and SHA-1 find accidents, but no one who means it"},
    [BAG_ALGORITHM_NAME] = {BREAKS, ALGORITHM,
                            "the algorithm in its name has to be in lower case, letters and digits "
                            "only"},
    [BAG_ALGORITHM_NAME_OLD] = {ADVISES, ALGORITHM,
                                "the algorithm in its name should be in lower case, letters and "
                                "digits only"},
    [BAG_MANIFEST_LINE] = {BREAKS, MANIFEST, "a line has to be a digest, blanks and a path"},
    [BAG_MANIFEST_DIGEST] = {BREAKS, MANIFEST,
                             "what should be a digest is not one of its algorithm, in hexadecimal"},
    [BAG_MANIFEST_STAR] = {ADVISES, PRACTICE,
                           "its paths have md5sum's mark of binary files, *, before them"},
    [BAG_MANIFEST_BLANK] = {ADVISES, MANIFEST, "it has empty lines"},
    [BAG_MANIFEST_OUTSIDE] = {BREAKS, SECURITY, "a path leads out of the bag"},
    [BAG_MANIFEST_DOTTED] = {ADVISES, MANIFEST, "a path has a ./ or // that says nothing"},
    [BAG_MANIFEST_TWICE] = {BREAKS, MANIFEST, "a file is listed more than once"},
    [BAG_MANIFEST_TWICE_OLD] = {ADVISES, MANIFEST, "a file is listed more than once"},
    [BAG_MANIFEST_CONFLICT] = {BREAKS, MANIFEST, "a file is listed twice with different digests"},
    [BAG_MANIFEST_NOT_PAYLOAD] = {BREAKS, MANIFEST,
                                  "it lists a file that is not below the folder data"},
    [BAG_MANIFEST_FOLDER] = {BREAKS, MANIFEST, "it lists a folder; files only are listed"},
    [BAG_MANIFEST_PERCENT] = {ADVISES, MANIFEST,
                              "a % in a path that stands for itself has to be written %25"},
    [BAG_MANIFEST_BACKSLASH] = {BREAKS, MANIFEST, "a path has \\ where / has to separate folders"},
    [BAG_MANIFEST_NORMAL] = {ADVISES, PRACTICE,
                             "the same name in another Unicode normalisation is in the manifest"},
    [BAG_TAGMANIFEST_PAYLOAD] = {BREAKS, TAGMANIFEST, "it lists a payload file"},
    [BAG_TAGMANIFEST_TAGMANIFEST] = {BREAKS, TAGMANIFEST, "it lists a tag manifest"},
    [BAG_TAGMANIFEST_LACKS_MANIFEST] = {BREAKS, TAGMANIFEST, "it lacks a payload manifest"},
    [BAG_TAGMANIFEST_LACKS_TAG] = {ADVISES, TAGMANIFEST, "no tag manifest vouches for it"},
    [BAG_TAGMANIFEST_NONE] = {ADVISES, TAGMANIFEST,
                              "there is no tag manifest: nobody would notice a changed manifest"},
    [BAG_MISSING] = {BREAKS, COMPLETE, "it is listed and not there"},
    [BAG_MISSING_FETCH] = {BREAKS, FETCH, "it is still to be fetched"},
    [BAG_UNLISTED] = {BREAKS, COMPLETE, "it is there, and no payload manifest lists it"},
    [BAG_UNLISTED_SOME] = {BREAKS, COMPLETE, "it is not listed in every payload manifest"},
    [BAG_DIGEST_WRONG] = {SPOILS, COMPLETE, "its content is not what the manifest says"},
    [BAG_DAMAGED] = {SPOILS, COMPLETE, "it cannot be read to its end"},
    [BAG_INFO_LINE] = {BREAKS, INFO, "a line has to be a label, a colon and a value"},
    [BAG_INFO_LABEL] = {BREAKS, INFO, "a label has blanks before or behind it"},
    [BAG_INFO_REPEATED] = {ADVISES, INFO, "a label that should stand there once is repeated"},
    [BAG_OXUM_NONE] = {ADVISES, INFO, "there is no Payload-Oxum, by which a part is noticed fast"},
    [BAG_OXUM_BAD] = {BREAKS, INFO, "Payload-Oxum has to be two numbers with a dot between"},
    [BAG_OXUM_TWICE] = {BREAKS, INFO, "Payload-Oxum is given more than once"},
    [BAG_OXUM_WRONG] = {BREAKS, INFO, "Payload-Oxum is not what is there"},
    [BAG_DATE_BAD] = {ADVISES, INFO, "Bagging-Date should be written YYYY-MM-DD"},
    [BAG_FETCH_LINE] = {BREAKS, FETCH, "a line has to be a URL, a length or -, and a path"},
    [BAG_FETCH_OUTSIDE] = {BREAKS, SECURITY, "a path leads out of the bag"},
    [BAG_FETCH_NOT_PAYLOAD] = {BREAKS, FETCH, "it lists a file that is not below the folder data"},
    [BAG_FETCH_UNLISTED] = {BREAKS, FETCH,
                            "it is to be fetched, and not in every payload manifest"},
    [BAG_FETCH_TWICE] = {ADVISES, FETCH, "a file is listed more than once"},
    [BAG_FETCH_SIZE] = {BREAKS, FETCH, "it is not as long as fetch.txt says"},
    [BAG_FETCH_URL] = {ADVISES, SECURITY, "this address should not be fetched from"},
    [BAG_ENTRY_OUTSIDE] = {BREAKS, SECURITY, "its name leads out of the archive"},
    [BAG_ENTRY_NAME] = {BREAKS, SECURITY, "its name is none that a file can have"},
    [BAG_ENTRY_DOTTED] = {ADVISES, PRACTICE, "its name has a ./ or // that says nothing"},
    [BAG_ENTRY_TWICE] = {BREAKS, ARCHIVE, "it is there more than once"},
    [BAG_ENTRY_LINK] = {BREAKS, SECURITY, "it is a link, which is not followed"},
    [BAG_ENTRY_SPECIAL] = {BREAKS, SECURITY, "it is neither a file nor a folder"},
    [BAG_ENTRY_ENCRYPTED] = {SPOILS, ARCHIVE,
                             "it is encrypted, and cannot be compared without the password"},
    [BAG_ENTRY_DOUBT] = {BREAKS, ARCHIVE, "the archive contradicts itself"},
    [BAG_ARCHIVE_DOUBT] = {BREAKS, ARCHIVE, "the archive contradicts itself"},
    [BAG_ARCHIVE_DAMAGED] = {BREAKS, ARCHIVE, "the archive cannot be read to its end"},
    [BAG_NAME_CASE] = {ADVISES, PRACTICE,
                       "another name differs in capitals only: on Windows and macOS one would be "
                       "lost"},
    [BAG_NAME_NORMAL] = {ADVISES, PRACTICE,
                         "another name differs in Unicode normalisation only: on macOS one would "
                         "be lost"},
    [BAG_NAME_UNWISE] = {ADVISES, PRACTICE, "it may give trouble elsewhere"},
    [BAG_WITHIN] = {ADVISES, PRACTICE, "there is a bag within the bag"},
    [BAG_SIDECAR_WRONG] = {SPOILS, SIDECAR,
                           "the archive's bytes are not what the .sha256 beside it says"},
    [BAG_RECORD_WRONG] = {SPOILS, RECORD,
                          "the archive is not the one that was made: the journal of the case says "
                          "other bytes"},
    [BAG_SIDECAR_BAD] = {BREAKS, SIDECAR, "it says nothing about this archive"},
};

_Static_assert(sizeof rules / sizeof rules[0] == BAG_RULES, "a rule without a sentence");

void bag_tell(const struct bag_options *o, struct bag_counts *c, enum bag_rule rule,
              const char *file, const char *detail)
{
    AUTO_STR struct str text = STR_INIT;
    struct bag_finding f = {
        .severity = rules[rule].effect == ADVISES ? BAG_WARNING : BAG_ERROR,
        .file = file,
        .rule = rules[rule].rule,
    };

    str_add(&text, rules[rule].text);
    if (detail && *detail) {
        str_add(&text, ": ");
        utf8_show(&text, detail, strlen(detail));
    }
    f.text = str_c(&text);
    if (f.severity == BAG_WARNING)
        c->warnings++;
    else
        c->errors++;
    if (bag_rule_breaks(rule))
        c->complete = false;
    if (rules[rule].effect != ADVISES)
        c->valid = false;
    if (o->found)
        o->found(o->ctx, &f);
}

bool bag_rule_breaks(enum bag_rule rule)
{
    return rules[rule].effect == BREAKS;
}
