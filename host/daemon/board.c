/* SPDX-License-Identifier: MIT */
/* board.c - when the daemon runs each pair next, as a file of lines that `status` reads: written in place, true while the daemon's claim is. */
#include "daemon/board.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define ROW_FORMAT "%016" PRIx64 " %c %20" PRId64 " %20" PRId64 " %10u\n"
enum { ROW_BYTES = 16 + 1 + 1 + 1 + 20 + 1 + 20 + 1 + 10 + 1, HASH_DIGITS = 16 };

/* A pair is named by its hash: names have no width. */
static uint64_t hash_of(const char *name)
{
    return hash64(name, strlen(name));
}

static void put_row(struct buf *out, const struct schedule_unit *u)
{
    buf_printf(out, ROW_FORMAT, hash_of(u->name), u->running ? 'r' : 'w', u->due_ms, u->started_ms, u->failures);
}

void board_set(struct board *b, const char *state, const struct schedule *s, const struct schedule_want *wants,
               size_t n)
{
    struct arena a = {0};
    struct buf rows = {0};
    struct err ignored = {0};
    const char *path = path_join(&a, state, "daemon.pairs");
    for (size_t i = 0; i < n; i++)
        put_row(&rows, schedule_find(s, wants[i].name));
    board_close(b);
    b->n_rows = n;
    if (file_write_atomic(path, 0600, rows.data ? rows.data : "", rows.size, &ignored) == 0)
        b->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    else
        unlink(path); /* rather nothing than another config's */
    buf_fini(&rows);
    arena_fini(&a);
}

/* What cannot be kept up is not shown. */
static void end(struct board *b)
{
    if (ftruncate(b->fd, 0) == 0)
        board_close(b);
}

void board_put(struct board *b, const struct schedule_unit *unit)
{
    struct buf row = {0};
    if (b->fd < 0 || unit->gone || unit->order >= b->n_rows)
        return;
    put_row(&row, unit);
    if (row.size != ROW_BYTES || pwrite(b->fd, row.data, ROW_BYTES, (off_t)unit->order * ROW_BYTES) != ROW_BYTES)
        end(b);
    buf_fini(&row);
}

void board_close(struct board *b)
{
    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
}

static bool read_row(const char *row, struct board_row *out)
{
    char how = 0;
    if (sscanf(row + HASH_DIGITS, " %c %" SCNd64 " %" SCNd64 " %u", &how, &out->due_ms, &out->since_ms,
               &out->failures) != 4)
        return false;
    out->running = how == 'r';
    return true;
}

void board_read(const char *state, struct buf *lines)
{
    struct arena a = {0};
    struct err ignored = {0};
    file_read(path_join(&a, state, "daemon.pairs"), 0, lines, &ignored);
    arena_fini(&a);
}

bool board_find(const struct buf *lines, size_t likely, const char *pair, struct board_row *out)
{
    char hash[HASH_DIGITS + 1];
    size_t n = lines->size / ROW_BYTES;
    snprintf(hash, sizeof hash, "%016" PRIx64, hash_of(pair));
    for (size_t i = 0; i < n; i++) {
        const char *row = lines->data + (likely + i) % n * ROW_BYTES;
        if (memcmp(row, hash, HASH_DIGITS) == 0)
            return read_row(row, out);
    }
    return false;
}
