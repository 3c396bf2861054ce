/* SPDX-License-Identifier: MIT */
/* header.h - our own reading of an LMDB data file, before the library is trusted with it. */
#ifndef STORE_HEADER_H
#define STORE_HEADER_H

#include <stdbool.h>
#include <stdint.h>

/* What the newest of the two meta pages says. */
struct header {
    uint32_t page_bytes;
    uint64_t n_pages; /* as recorded */
    uint64_t n_whole; /* whole pages that the file really holds */
    uint64_t free_root; /* of the tree of free pages */
    uint64_t main_root;
    uint64_t txnid;
};

/*
 * Reads and checks the meta pages: a damaged one makes the library divide by zero or read beyond its map. Returns NULL if the
 * file may be opened, else what is wrong with it, to follow "the file is damaged: ".
 */
const char *header_read(int fd, struct header *out);

/* True if every page that the trees of h use is in the file and is what the trees say. Reads all of them but values. */
bool header_trees_whole(int fd, const struct header *h);

#endif
