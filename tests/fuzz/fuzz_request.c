/* SPDX-License-Identifier: MIT */
/* fuzz_request.c - fuzzes requests and answers as the daemon's processes hand them on: what is read is put as the same bytes again. */
#include <stdlib.h>
#include <string.h>

#include "daemon/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct buf *again, const uint8_t *data, size_t size)
{
    if (again->size != size || memcmp(again->data, data, size) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request_header headers[REQUEST_HEADERS_MAX];
    struct request r;
    struct answer a;
    struct buf again = {0};
    if (request_read((const char *)data, size, headers, &r)) {
        request_put(&again, &r);
        same(&again, data, size);
    }
    buf_clear(&again);
    if (answer_read((const char *)data, size, headers, &a)) {
        answer_put(&again, &a);
        same(&again, data, size);
    }
    buf_fini(&again);
    return 0;
}
