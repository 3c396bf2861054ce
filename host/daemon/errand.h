/* SPDX-License-Identifier: MIT */
/* errand.h - commands that the daemon carries out for somebody: each a short-lived process of this program, few at once, with a deadline. */
#ifndef DAEMON_ERRAND_H
#define DAEMON_ERRAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

enum {
    ERRAND_BUSY = 75, /* the exit code of a command that met somebody else at work on the pair for too long */
    ERRAND_MAX_BYTES = 16 << 20, /* of what it says; more ends it */
    ERRANDS_MAX = 4, /* at once */
    ERRANDS_LONG_MAX = 2, /* of them, those that may take minutes */
    ERRANDS_WAIT = 32, /* more are refused */
    ERRAND_WORDS = 24
};

enum errand_end {
    ERRAND_RAN = 1, /* it ended by itself: exit_code */
    ERRAND_LATE, /* its deadline was over */
    ERRAND_LARGE, /* it said too much */
    ERRAND_DIED, /* by a signal, or it never began */
    ERRAND_STOPPED /* the daemon ends */
};

/* What is to be done. Words are arguments, never looked at by a shell; copied. */
struct errand_order {
    uint64_t number; /* the asker's */
    const char *const *words;
    size_t n_words;
    int64_t deadline_ms; /* from its start */
    bool lengthy;
};

/* What became of it; borrowed during the call. */
struct errand_result {
    uint64_t number;
    int end; /* enum errand_end */
    int exit_code;
    const char *out, *err;
    size_t n_out, n_err;
};

struct errands;
/* tell: called from errands_tend for each that ended. */
struct errands *errands_new(void (*tell)(void *self, const struct errand_result *r), void *self);
void errands_free(struct errands *e); /* accepts NULL; kills what runs */
/* False: too many wait already. */
bool errands_ask(struct errands *e, const struct errand_order *o);
/* Starts what may start under that config (its text is open as conf_fd; -1: the file itself), ends what is late, tells what ended. */
void errands_tend(struct errands *e, const char *config, int conf_fd, int64_t now_ms);
/* ms until something of time is to be done; -1: nothing. The end of a process is told by SIGCHLD. */
int64_t errands_wait(const struct errands *e, int64_t now_ms);
/* Tells all that run to end, and forgets those that wait. */
void errands_stop(struct errands *e);
size_t errands_running(const struct errands *e);

#endif
