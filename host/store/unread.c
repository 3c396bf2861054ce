/* SPDX-License-Identifier: MIT */
/* unread.c - a page of the mapped state that the disk does not give: the process ends with a sentence. */
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "store/inside.h"

/* As a kill at this point, which the write protocol survives. */
static void end(int number)
{
    static const char line[] = "syncline: a page of the state cannot be read (input/output error): "
                               "look at the disk and the kernel's log, then run again\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof(line) - 1);
    (void)number, (void)ignored;
    _exit(1);
}

void unread_catch(void)
{
    struct sigaction act = {.sa_handler = end}, old;
    if (sigaction(SIGBUS, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        sigaction(SIGBUS, &act, NULL);
}
