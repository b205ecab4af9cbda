/*
 * organizer-parsers: the program that reads what documents say, started by organizer only.
 *
 * It is a program of its own so that the libraries that parse documents are in no other process:
 * not where documents are renamed, and not where they cost every start some milliseconds.
 */
#include <string.h>

#include "base/exit.h"
#include "examine/wire.h"
#include "text/nursery.h"

int main(int argc, char **argv)
{
    struct wire_setup setup;
    int fd, n;

    if (argc != 3 || strcmp(argv[1], "--reader") != 0 || strcmp(argv[2], "parsers") != 0)
        return EXIT_USAGE;
    n = wire_receive(WIRE_FD, &setup, sizeof setup, &fd);
    if (n == 0)
        return EXIT_ORDER;
    if (n != sizeof setup || setup.what != WIRE_SETUP || setup.version != WIRE_VERSION)
        return EXIT_CANNOT;
    return nursery_parsers(&setup);
}
