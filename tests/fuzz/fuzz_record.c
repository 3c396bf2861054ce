/* SPDX-License-Identifier: MIT */
/* fuzz_record.c - fuzzes the decoding of records: what is accepted encodes to the same bytes again. */
#include <stdlib.h>
#include <string.h>

#include "record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bytes(struct slice bytes)
{
    struct arena a = {0};
    struct err e = {0};
    struct buf again = {0};
    struct sl_record *r = record_decode(&a, bytes, &e);
    if ((r != NULL) == (e.code != ERR_NONE))
        abort();
    if (r) {
        record_encode(&again, r);
        if (again.size != bytes.size || memcmp(again.data, bytes.data, bytes.size) != 0)
            abort();
        if (record_digest(r) != record_digest(record_copy(&a, r)))
            abort();
        record_label(&a, r);
        record_put_json(&again, r);
    }
    buf_fini(&again);
    arena_fini(&a);
}

/* Once as they are, and once sealed: else nothing but the checksum would be tested. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf sealed = {0};
    check_bytes(slice_of(data, size));
    put_u8(&sealed, 1);
    buf_add(&sealed, data, size);
    row_seal(&sealed, 0);
    check_bytes(slice_of(sealed.data, sealed.size));
    buf_fini(&sealed);
    return 0;
}
