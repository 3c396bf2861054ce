/* SPDX-License-Identifier: MIT */
/* tokens.h - refresh tokens that a server has rotated, kept for the next process: a file a connection, one renewer at a time. */
#ifndef STORE_TOKENS_H
#define STORE_TOKENS_H

#include "base/err.h"
#include "base/mem.h"

/*
 * Rotated tokens are the one secret that must be kept: who loses the newest is locked out. They lie in STATE/tokens/CONNECTION (0600 in a
 * folder 0700), apart from the pairs' state, which never holds one. The functions are the members of struct auth_tokens; self is the tokens.
 */
struct tokens;
struct tokens *tokens_open(const char *state_folder, const char *connection);
void tokens_close(struct tokens *t); /* accepts NULL; lets the lock go */
/* Waits for the process that has it. ERR_FAILED if there can be no lock. */
int tokens_lock(void *self, struct err *e);
void tokens_unlock(void *self);
/* Out: *text in the arena, NULL if nothing was kept. ERR_FAILED if it cannot be read. */
int tokens_load(void *self, struct arena *a, const char **text, struct err *e);
/* Durable once it returned 0. */
int tokens_save(void *self, const char *text, struct err *e);

#endif
