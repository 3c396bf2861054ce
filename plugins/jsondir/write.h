/* SPDX-License-Identifier: MIT */
/* write.h - what the two halves of a write share: the jobs of a batch and how their ends are told. */
#ifndef JSONDIR_WRITE_H
#define JSONDIR_WRITE_H

#include "jsondir.h"

#define TEMP_PREFIX ".syncline-"
#define TEMP_SUFFIX ".tmp"
#define ARCHIVE ".archive"

enum job_state {
    JOB_NEW = 0,
    JOB_READY = 1, /* preconditions held, the temporary file (if it needs one) is written */
    JOB_PUBLISHED = 2, /* visible under its name, not yet known to be durable */
    JOB_TOLD = 3
};

/* One write on its way through the phases. */
struct job {
    const struct sl_write *w;
    uint32_t index;
    enum job_state state;
    bool has_temp; /* its temporary file is ours to take away */
    struct stat seen; /* the target the preconditions were checked against */
    struct stat ours; /* the temporary file as written: this inode, size and mtime are our content */
    size_t text_at, text_bytes;
};

/* A part of a batch that becomes durable together. */
struct chunk {
    struct jsondir *d;
    struct folder *f;
    struct job *jobs;
    uint32_t n_jobs;
    struct sl_bytes text; /* the contents written, to be told as the records now stored */
    bool sync_each; /* few files: sync each; many: the file system once */
    uint32_t n_temps;
    int64_t touched_ns; /* when files were last touched */
    int64_t grain_ns; /* how much later the clock must stand before an edit has another stamp */
    bool coarse; /* stamps too coarse to be waited out: outcomes carry no version */
    bool enough; /* the host takes no more outcomes */
    int archive_fd;
};

void temp_name(const struct job *j, char out[NAME_ROOM]);
/* Ends a job with a refusal and takes its temporary file away. */
void job_refuse(struct chunk *c, struct job *j, int sl_class, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Likewise, for an errno at its file. */
void job_fault(struct chunk *c, struct job *j, const char *what, int code);
/* A create found its id taken: SL_EXISTS with the record that is there. */
void job_exists(struct chunk *c, struct job *j);
void job_tell(struct chunk *c, struct job *j, const struct sl_outcome *outcome);

/* prepare.c: checks the preconditions and writes the temporary file. Ends as JOB_READY or JOB_TOLD. */
void job_prepare(struct chunk *c, struct job *j);
/*
 * Removes temporary files that killed runs left in the folder: those of this batch's repeated operations, and all older
 * than an hour.
 */
void sweep(struct jsondir *d, const struct folder *f, const struct sl_batch *batch);

#endif
