#include "flow/companions.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/io.h"

/* Signatures and time stamps: the whole name of what they sign, and one of these behind it. */
static const char *const signatures[] = {".p7s", ".p7m",   ".sig",    ".asc",  ".tsr", ".tst",
                                         ".ots", ".xades", ".sha256", ".sha1", ".md5"};
#define SIGNATURES (sizeof signatures / sizeof *signatures)

/* How browsers call the folder of a page's parts, by the language of the system. */
static const char *const page_folders[] = {
    "_files",    "-Dateien",   "_fichiers", "_archivos", "_arquivos",  "_bestanden",
    "_file",     "-filer",     "_pliki",    "_soubory",  "_ficheiros", "_elemei",
    "_dosyalar", "_tiedostot", "_datoteke", "_fajlovi",  "_fitxers",   ".files"};
#define PAGE_FOLDERS (sizeof page_folders / sizeof *page_folders)

static const char *const pages[] = {".html", ".htm", ".xhtml", ".shtml", ".HTML", ".HTM"};
#define PAGES (sizeof pages / sizeof *pages)

static bool is_there(int dir, const char *stem, size_t n, const char *end)
{
    AUTO_FREE char *name = xasprintf("%.*s%s", (int)n, stem, end);

    return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The length of name without `end`, which it ends with in any case; 0 when it does not. */
static size_t without(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n > m && strcasecmp(name + n - m, end) == 0 ? n - m : 0;
}

bool companions_is_one(const char *name)
{
    size_t n = strlen(name);
    int last = n ? tolower((unsigned char)name[n - 1]) : 0;

    for (size_t i = 0; i < SIGNATURES; i++)
        if (signatures[i][strlen(signatures[i]) - 1] == last && without(name, signatures[i]))
            return true;
    for (size_t i = 0; i < PAGE_FOLDERS; i++)
        if (page_folders[i][strlen(page_folders[i]) - 1] == last && without(name, page_folders[i]))
            return true;
    return false;
}

static size_t page_stem(const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < PAGES && !n; i++)
        n = without(name, pages[i]);
    return n;
}

bool companions_beside(int root, const char *path)
{
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(root, path, &name);
    size_t stem;

    if (dir < 0)
        return false;
    for (size_t i = 0; i < SIGNATURES; i++)
        if (is_there(dir, name, strlen(name), signatures[i]))
            return true;
    stem = page_stem(name);
    for (size_t i = 0; stem && i < PAGE_FOLDERS; i++)
        if (is_there(dir, name, stem, page_folders[i]))
            return true;
    return false;
}

char **companions_moving(int root, const char *path)
{
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(root, path, &name);
    AUTO_FREE char *fork = xasprintf("._%s", name);
    char **list;

    if (dir < 0 || faccessat(dir, fork, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        return NULL;
    list = xcalloc(2, sizeof *list);
    list[0] = fork;
    fork = NULL;
    return list;
}

char *companions_signed(const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < SIGNATURES && !n; i++)
        n = without(name, signatures[i]);
    return n ? xmemdup0(name, n) : NULL;
}

bool companions_is_page_folder(int root, const char *path)
{
    const char *name;
    AUTO_CLOSE int dir = beneath_parent(root, path, &name);

    for (size_t i = 0; dir >= 0 && i < PAGE_FOLDERS; i++) {
        size_t stem = without(name, page_folders[i]);

        for (size_t j = 0; stem && j < PAGES; j++)
            if (is_there(dir, name, stem, pages[j]))
                return true;
    }
    return false;
}
