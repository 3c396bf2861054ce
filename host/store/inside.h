/* SPDX-License-Identifier: MIT */
/* inside.h - what the public face of the store and its drivers share. */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include <string.h>

#include "store/store.h"

/*
 * The format of the rows a driver keeps. Format 1: DB_META holds "format" and "fence" (8 bytes, big endian) and "last_txid"
 * (16 bytes) beside the engine's rows.
 */
enum { STORE_FORMAT = 1, STORE_TXID_BYTES = 16, STORE_NUMBER_BYTES = 8 };
extern const char *const store_db_names[DB_END]; /* on disk: only add */
extern const struct slice store_key_format, store_key_fence, store_key_last_txid;

/* What the map of a file sets aside at first: address space, not disk. Tests make it small to see it grow. */
extern size_t store_lmdb_map_bytes;

/* From now on a mapped page that cannot be read (SIGBUS) ends the process with a sentence, not by the signal. */
void unread_catch(void);

/* The store of a driver's own handle; takes it over. */
struct store *store_adopt(const struct store_driver *driver, void *self, bool read_only);

/* The refusal of state that is not format STORE_FORMAT; where names it. Returns the store_rc. */
int store_refuse_format(const char *where, uint64_t format, struct err *e);

/* The refusals that a storage itself causes: UNKNOWN, FULL, BUSY, IO, CORRUPT. Returns rc. */
int store_refuse(int rc, const char *where, const char *detail, struct err *e);
/* What a commit says whose PUT_NEW or EXPECT did not hold. Returns STORE_EXISTS. */
int store_refuse_op(const struct store_op *op, struct err *e);
/* What a commit says whose owner lost the pair. Returns STORE_FENCED. */
int store_refuse_owner(const char *where, struct err *e);

static inline int key_order(struct slice x, struct slice y)
{
    size_t shorter = x.size < y.size ? x.size : y.size;
    int order = shorter ? memcmp(x.data, y.data, shorter) : 0;
    if (order)
        return order;
    return x.size < y.size ? -1 : x.size > y.size;
}

/* A stored value satisfies an EXPECT; present false: there is no such row. */
static inline bool expect_holds(const struct store_op *op, bool present, struct slice value)
{
    bool want = op->value.size || op->value.data;
    return want ? present && key_order(op->value, value) == 0 : !present;
}

static inline void number_put(uint8_t out[STORE_NUMBER_BYTES], uint64_t number)
{
    for (int i = STORE_NUMBER_BYTES - 1; i >= 0; i--, number >>= 8)
        out[i] = (uint8_t)(number & 0xFF);
}

/* False if the row is no number. */
static inline bool number_get(struct slice row, uint64_t *number)
{
    if (row.size != STORE_NUMBER_BYTES)
        return false;
    *number = 0;
    for (size_t i = 0; i < STORE_NUMBER_BYTES; i++)
        *number = *number << 8 | ((const uint8_t *)row.data)[i];
    return true;
}

#endif
