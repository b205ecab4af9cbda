/*
 * reader: the sandboxed processes themselves; main() hands over to them before it does anything.
 * Those that parse documents are a program of their own: text/parsers.c.
 *
 *   reader_main()
 *     digester      SHA-256 of each document, in pieces; parses nothing
 *     nursery       has libmagic loaded, forks a classifier when told to
 *       classifier  says of each document what kind it is
 *     unpacker      parses archives (archive/unpacker.h)
 */
#ifndef ORGANIZER_EXAMINE_READER_H
#define ORGANIZER_EXAMINE_READER_H

/*
 * Runs the reader of that kind ("digester", "classifiers", "unpacker") on the socket that is descriptor 3,
 * until the other end is closed. Standard input, output and error are not used. Returns the exit
 * status: 0 in order, EXIT_USAGE for an unknown kind, EXIT_CANNOT for a socket that says nonsense.
 */
int reader_main(const char *kind);

#endif
