/* SPDX-License-Identifier: MIT */
/* fuzz_frame.c - fuzzes the frames of a runner: what is accepted of any struct is put as the same bytes again. */
#include <stdlib.h>
#include <string.h>

#include "runner/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was put once more holds as much: an encoding is the only one of its struct. */
static void check_struct(struct reader r, int shape)
{
    struct arena a = {0};
    struct buf again = {0};
    const uint8_t *from = r.at;
    const void *item = frame_get(&r, &a, shape);
    if (item && !r.bad) {
        frame_put(&again, shape, item);
        if (again.size != (size_t)(r.at - from) || memcmp(again.data, from, again.size) != 0)
            abort();
    }
    buf_fini(&again);
    arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int kind = 0;
    struct reader body;
    if (frame_find(slice_of(data, size), &kind, &body) > 0)
        check_struct(body, 1 + kind % (N_SHAPES - 1));
    if (size)
        check_struct((struct reader){.at = data + 1, .end = data + size}, 1 + data[0] % (N_SHAPES - 1));
    return 0;
}
