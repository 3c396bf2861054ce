/* SPDX-License-Identifier: MIT */
/* proof.h - what certify has proven of one binary: kept beside it, read when it is loaded. */
#ifndef PLUGIN_PROOF_H
#define PLUGIN_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* The names of what a connector can do, for sentences and files: `"create", "update"` with quote "\"". */
void caps_put(struct buf *out, uint64_t caps, const char *quote);
const char *cap_name(uint64_t cap); /* NULL: it has none */

enum proof_state {
    PROOF_NONE = 1, /* certify was never run, or what it left cannot be read */
    PROOF_STALE, /* it was run on another build of this file */
    PROOF_HERE
};

struct proof {
    int state; /* enum proof_state */
    uint64_t judged; /* what the certified object declares and certify can prove */
    uint64_t proven; /* of these; what is judged and not proven is not relied on */
};

/* Reads NAME.proven beside the file NAME.so, which is open as fd. */
struct proof proof_read(const char *file, int fd);
/* Writes it. ERR_FAILED if it cannot be kept there. */
int proof_write(const char *file, const char *version, uint64_t judged, uint64_t proven, struct err *e);

#endif
