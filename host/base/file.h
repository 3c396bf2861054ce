/* SPDX-License-Identifier: MIT */
/* file.h - whole files: read with a limit, written so that a crash leaves the old one or the new one. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

/*
 * Appends a file's bytes to out. Returns 0, or with e: ERR_NOTFOUND (it is not there), ERR_INPUT (more than
 * max_bytes; 0: no limit) or ERR_FAILED; out is then as it was.
 */
int file_read(const char *path, size_t max_bytes, struct buf *out, struct err *e);
/*
 * Replaces or creates a file: a temporary file next to it is written, synced and renamed, and the folder synced.
 * Returns 0, or ERR_FAILED with e; the old file is then untouched.
 */
int file_write_atomic(const char *path, mode_t mode, const void *data, size_t n_bytes, struct err *e);
/* When the file came into being, in ns since 1970; no copy has its original's. 0: the file system does not tell. */
uint64_t file_born_ns(const char *path);
/* How many bytes the file system under a path has for this user; what cannot be asked, or is not there yet, has room. */
uint64_t file_room(const char *path);
enum { DISK_FULL_BYTES = 1 << 20 }; /* with less than that a disk counts as full */
/* rel below folder; rel itself if it is absolute. In the arena. */
char *path_join(struct arena *a, const char *folder, const char *rel);
/* Makes a folder and those above it, durably; that it is there already is fine. Returns 0, or ERR_FAILED with e. */
int folder_make(const char *path, mode_t mode, struct err *e);

#endif
