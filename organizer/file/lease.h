/*
 * lease: asking the kernel who has a document open (fcntl(2), F_SETLEASE).
 *
 * Rules learned by trial: the descriptor that readers were passed is the one to lease, never a
 * second open of one's own; nothing but the look and the rename happens while a lease is held; a
 * lease is given back explicitly, because closing does not while a reader has the descriptor;
 * SIGIO, which the kernel sends when someone else opens the document, is blocked by
 * lease_block_signal().
 */
#ifndef ORGANIZER_FILE_LEASE_H
#define ORGANIZER_FILE_LEASE_H

enum lease {
    LEASE_GRANTED,
    LEASE_BUSY, /* someone has it open */
    LEASE_NONE, /* leases do not work here: not the owner and no CAP_LEASE, or the file system has
                   none; or the document is one of another kind */
};

/* Is anyone else writing to it? Takes a read lease and gives it back. fd must be open for reading
 * only. */
enum lease lease_ask_read(int fd);
/* The same of the document name in the folder dir: 1 when somebody writes to it; 0 when nobody
 * does, leases do not work, or it is not there or not ours to open; -1 with errno when that cannot
 * be told now. */
int lease_ask_in(int dir, const char *name);
/* Keeps everyone else from opening it until lease_drop(); LEASE_BUSY while anyone has it open. */
enum lease lease_take(int fd);
/* Gives the lease back; others who waited to open go on. */
void lease_drop(int fd);
/* Blocks SIGIO in this thread and those it starts later: its default action ends the program. */
void lease_block_signal(void);

#endif
