/* SPDX-License-Identifier: MIT */
/* header.h - our own reading of an LMDB data file, before the library is trusted with it. */
#ifndef STORE_HEADER_H
#define STORE_HEADER_H

#include <stdbool.h>
#include <stddef.h>
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
 * file may be opened, else what is wrong with it.
 */
const char *header_read(int fd, struct header *out);

/* True if every page that the trees of h use is in the file and is what the trees say. Reads all of them but values. */
bool header_trees_whole(int fd, const struct header *h);

/*
 * Pages that one commit took at the end of the file and freed again are counted but not written. Makes the file as long as its
 * count, without which it looks cut off and the next to open it has to read its trees: only a courtesy to that one.
 */
void header_fill_out(int fd, uint64_t n_bytes);

/* The size of a map of which the bytes in use fill at most four fifths: at_least, doubled until it is. */
size_t header_map_bytes(size_t at_least, uint64_t used_bytes);

#endif
