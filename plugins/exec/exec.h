/* SPDX-License-Identifier: MIT */
/* exec.h - what the files of this connector share: the session, the child process, lines and values of the protocol. */
#ifndef EXEC_H
#define EXEC_H

#include <stdbool.h>
#include <sys/types.h>
#include <syncline/helpers.h>
#include <syncline/syncline.h>

#define SAID_ROOM 700u
#define LINE_MAX_BYTES ((size_t)64 * 1024 * 1024) /* one answer */

/* Fields of one JSON object, owned by the host or the session's pool until the next line. */
struct fields {
    const struct sl_value *at; /* taken one by one with fields_at: the host's may be larger than ours */
    uint32_t n;
    uint32_t field_size;
};

/* The declared type of a field whose JSON form is not its type (dates, sets, ...). */
struct typed {
    struct typed *next;
    char *name;
    char *object; /* REF */
    uint32_t type;
};
struct schema {
    struct schema *next;
    char *object;
    struct typed *typed;
};

struct exec {
    const struct sl_host *host;
    char *connection;
    char **argv;
    int64_t timeout_ms;
    /* the child; pid 0: not running */
    pid_t pid;
    int to, from, err; /* its stdin, stdout, stderr; -1: closed */
    struct sl_bytes out; /* the request, from out_at on not sent yet */
    size_t out_at;
    struct sl_bytes in; /* its answers, from in_at on not looked at yet */
    size_t in_at, in_seen; /* up to in_seen there is no newline */
    struct sl_bytes said; /* stderr up to the next newline */
    struct schema *schemas; /* what the child's describe said of its fields' types */
    struct sl_pool pool; /* until the next line */
};

/* Tells the host why a call ends; returns the class. The sentence begins with the command. */
int refuse(struct exec *x, int sl_class, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- child.c: the process and its pipes --- */

/* Starts the command if it is not running. SL_OK, or SL_CONFIG told. */
int child_start(struct exec *x);
/* Ends it and its whole process group; with grace it may first end by itself on the end of its input. */
void child_stop(struct exec *x, bool grace);
/* Gives it x->out as a request; it is sent while child_line waits. */
void child_ask(struct exec *x);
/*
 * Waits for its next line, without the newline. Borrowed until the next call. keep_going: a stop of the run does not
 * end the wait (a write in flight). SL_OK, or a class told; the child is then gone.
 */
int child_line(struct exec *x, bool keep_going, const char **line, size_t *n_bytes);

/* --- value.c: JSON as the protocol uses it --- */

/* Reads the text of a JSON object, or of a list as fields named by their index. False: *message says why. */
bool object_read(struct exec *x, const char *text, size_t n_bytes, struct fields *out, const char **message);
bool list_read(struct exec *x, const struct sl_value *v, struct fields *out);
const struct sl_value *fields_at(const struct fields *f, uint32_t i);
const struct sl_value *field(const struct fields *f, const char *name); /* NULL if it is absent or null */
const char *field_text(struct exec *x, const struct fields *f,
                       const char *name); /* text, or a number as text; or NULL */
int64_t field_int(const struct fields *f, const char *name); /* 0 if it is no integer */
bool field_true(const struct fields *f, const char *name);
struct sl_value text_value(const char *name, const char *text); /* NULL becomes SL_NULL */
struct sl_value int_value(const char *name, int64_t n);
struct sl_value bool_value(const char *name, bool b);
struct sl_value json_value(const char *name, const char *text, size_t n_bytes);
/* Appends fields as one compact JSON object. False: they cannot be written. */
bool object_add(struct exec *x, struct sl_bytes *out, const struct sl_value *at, uint32_t n, uint32_t item_size);

/* --- schema.c: the types a describe declared --- */

struct schema *schema_of(const struct exec *x, const char *object); /* NULL: not described yet */
/* Remembers an object; replaces what was known of it. */
struct schema *schema_new(struct exec *x, const char *object);
void schema_add(struct schema *s, const struct sl_field *f);
void schemas_free(struct exec *x);
/* Gives the fields their declared types. NULL, or what is wrong (pooled). s may be NULL. */
const char *schema_apply(struct exec *x, const struct schema *s, struct fields *f);

/* --- answer.c: what the child says, handed to the host --- */

/* One call on its way. */
struct call {
    const char *name; /* as in the request */
    const char *object; /* NULL: none */
    const struct schema *schema;
    uint32_t n_writes; /* of the batch */
    bool quiet; /* a describe of our own: the host did not ask */
    bool paged; /* the page has been ended */
    bool optional; /* the child may answer unsupported */
};
/* Sends x->out and hands on the answers until done. SL_OK, or a class told. */
int call_run(struct exec *x, struct call *c);

#endif
