/*
 * sandbox: what a reader gives up before it sees a document.
 *
 * Each step is tried, and those that the kernel does not offer are reported, not fatal: the
 * organizer runs with what there is and `status` says what is missing.
 */
#ifndef ORGANIZER_EXAMINE_SANDBOX_H
#define ORGANIZER_EXAMINE_SANDBOX_H

#include <stdint.h>

enum sandbox_lack {
    LACKS_SECCOMP = 1 << 0,
    LACKS_LANDLOCK = 1 << 1,
    LACKS_LANDLOCK_SCOPES = 1 << 2, /* signals and abstract sockets: Linux 6.12 */
    LACKS_LIMITS = 1 << 3,          /* some rlimit */
    LACKS_PRIVILEGES = 1 << 4,      /* PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE or PR_SET_PDEATHSIG */
    LACKS_ALL = (1 << 5) - 1,
};

enum sandbox_role {
    SANDBOX_DIGESTER,
    SANDBOX_NURSERY, /* forks classifiers, and may kill them, by the descriptor that it got of each
                      */
    SANDBOX_CLASSIFIER, /* entered by a nursery's child, on top of the nursery's */
    SANDBOX_PARSERS,    /* forks parsers, one at a time, and waits for them */
    SANDBOX_PARSER,     /* entered by its child: the document is mapped already */
    SANDBOX_UNPACKER,   /* parses archives (archive/unpacker.h); bounds its own processor time */
};

/* What a parser may do beside: write, bounded, to this descriptor; and for how long. */
#define SANDBOX_OUT_FD      5
#define SANDBOX_OUT_MAX     (UINT64_C(16) << 20)
#define SANDBOX_PARSE_CPU_S 2

/*
 * Shuts the process in for good. Open are only the descriptors that it has; what it may still do
 * with them: receive and send on WIRE_FD, pread, fstat, close. Everything else, open, exec, fork,
 * sockets, fcntl (so leases), signals, limits of others, ptrace, ends the process or fails with
 * EPERM. Returns enum sandbox_lack of what could not be had.
 */
unsigned sandbox_enter(enum sandbox_role role);
/* The filter of a role, made once for many processes: making it takes longer than most documents.
 * NULL when there is none. */
struct sandbox_filter;
struct sandbox_filter *sandbox_filter_new(enum sandbox_role role);
void sandbox_filter_free(struct sandbox_filter *f);
/* As sandbox_enter() with the filter of that role; NULL: it is made now. */
unsigned sandbox_enter_with(enum sandbox_role role, const struct sandbox_filter *f);
/* For a nursery's child, before sandbox_enter(): the address space that it may have, the document's
 * size in bytes being mapped beside. used: sandbox_memory() of its nursery. */
void sandbox_limit_memory(uint64_t used, uint64_t mapped);
/* Bytes of address space in use now, or 0 when the kernel does not say. */
uint64_t sandbox_memory(void);
/* A word for one bit of enum sandbox_lack ("seccomp"). */
const char *sandbox_lack_name(unsigned bit);

#endif
