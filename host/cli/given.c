/* SPDX-License-Identifier: MIT */
/* given.c - the end of a command that the daemon started for its API: what it said goes out without a secret. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "daemon/errand.h"

/* What was written to a file of the daemon's; a pipe or a terminal has it already. */
static void scrub(int fd)
{
    struct stat st;
    struct buf text = {0};
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > ERRAND_MAX_BYTES)
        return;
    ssize_t n = pread(fd, buf_room(&text, (size_t)st.st_size), (size_t)st.st_size, 0);
    buf_took(&text, n > 0 ? (size_t)n : 0);
    size_t left = log_scrub(text.data, text.size);
    if (left != text.size && (ftruncate(fd, 0) != 0 || pwrite(fd, text.data, left, 0) != (ssize_t)left))
        _exit(1); /* rather no answer */
    buf_fini(&text);
}

int given_end(struct cli *c, int rc)
{
    fflush(stdout);
    fflush(stderr);
    scrub(STDOUT_FILENO);
    scrub(STDERR_FILENO);
    return rc == 1 && c->busy ? ERRAND_BUSY : rc;
}
