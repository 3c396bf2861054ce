/* SPDX-License-Identifier: MIT */
/* shared.h - a few bytes that all processes on one connection have in common, one at a time. */
#ifndef STORE_SHARED_H
#define STORE_SHARED_H

#include <stdbool.h>
#include <stddef.h>

/*
 * They lie in STATE/shared/CONNECTION (0600 in a folder 0700), mapped by each process and locked by the file: a process that is killed
 * lets go, and its bytes stay as it left them. Nothing durable and nothing secret: where there can be no such file, nothing is shared.
 */
struct shared;
/* The file is made at the first lock. */
struct shared *shared_open(const char *state_folder, const char *connection, size_t n_bytes);
void shared_close(struct shared *s); /* accepts NULL */
/* The bytes until shared_unlock, zero when they are new; NULL: there are none, and nothing to unlock. Waits for who has them. */
void *shared_lock(void *self);
void shared_unlock(void *self);
/* A look at a connection's bytes without waiting for anybody, who may be writing them. False: there are none, or not so many. */
bool shared_look(const char *state_folder, const char *connection, void *out, size_t n_bytes);

#endif
