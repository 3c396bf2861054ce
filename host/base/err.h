/* SPDX-License-Identifier: MIT */
/* err.h - errors: a code that tells the caller its next move, a sentence that tells the person theirs. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* What the caller does next. */
enum err_code {
    ERR_NONE = 0,
    ERR_FAILED = 1, /* this run could not complete; the state is as it was or further on: run again */
    ERR_CONFIG = 2, /* usage or config: a person must change something first */
    ERR_NOTFOUND = 3, /* the named thing is not there */
    ERR_BUSY = 4, /* somebody else holds it: wait */
    ERR_STATE = 5, /* the state itself is damaged, too new or unreadable: stop, touch nothing */
    ERR_INPUT = 6 /* the data is at fault: this record only */
};

/* One error. Zero-initialise. The first one set stays until err_clear: later ones are consequences. */
struct err {
    int code; /* enum err_code */
    char text[700]; /* one line: the thing, the fact, what to do */
};

/* Sets the error unless one is set; returns its code. */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void err_clear(struct err *e);
/* The process exit code of an error: CONTRACT.md's 0, 1 or 2. */
int err_exit(const struct err *e);

#endif
