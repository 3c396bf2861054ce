/* SPDX-License-Identifier: MIT */
/* values.h - reading texts and members, for files that cannot include the host's errors beside libcrypto's. */
#ifndef TESTS_PEER_VALUES_H
#define TESTS_PEER_VALUES_H

#include <stdbool.h>

#include "base/mem.h"

bool is(const char *a, const char *b); /* equal, and both there */
/* A member of a JSON object as plain text, in the arena; NULL: not there. */
const char *body_text(const char *body, const char *member, struct arena *a);

#endif
