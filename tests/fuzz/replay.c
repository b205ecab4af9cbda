/* Gives a fuzz target the files named on the command line, one after the other. */
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "fuzz.h"

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        AUTO_CLOSE int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
        AUTO_STR struct str bytes = STR_INIT;

        if (fd < 0 || io_read_all(fd, &bytes, 16 << 20) < 0) {
            fprintf(stderr, "%s cannot be read\n", argv[i]);
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)str_c(&bytes), bytes.len);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
