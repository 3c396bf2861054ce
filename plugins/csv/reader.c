/* SPDX-License-Identifier: MIT */
/* reader.c - splits a file into rows and cells after RFC 4180, with every byte where it was. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connector.h"

enum { FIRST_ROOM = 1 << 18 };

/* How reading a cell ended. */
enum cut { CUT_CELL = 1, CUT_ROW, CUT_MORE, CUT_UNCLOSED };

static void *grow(void *old, size_t n_bytes)
{
    return sl_checked(realloc(old, n_bytes));
}

void reader_begin(struct reader *r, int fd, char delimiter, off_t offset, uint64_t line)
{
    reader_fini(r);
    *r = (struct reader){.fd = fd, .delimiter = delimiter, .offset = offset, .next_line = line};
    r->room = FIRST_ROOM;
    r->data = grow(NULL, r->room);
    r->plain = grow(NULL, r->room);
}

void reader_fini(struct reader *r)
{
    free(r->data);
    free(r->plain);
    free(r->cells);
    *r = (struct reader){.fd = -1};
}

off_t reader_offset(const struct reader *r)
{
    return r->offset + (off_t)r->at;
}

/* Moves the row under way to the front and reads on. */
static bool refill(struct reader *r)
{
    memmove(r->data, r->data + r->at, r->have - r->at);
    r->offset += (off_t)r->at;
    r->have -= r->at;
    r->at = 0;
    if (r->have == r->room) {
        r->room *= 2;
        r->data = grow(r->data, r->room);
        r->plain = grow(r->plain, r->room);
    }
    ssize_t n = pread(r->fd, r->data + r->have, r->room - r->have, r->offset + (off_t)r->have);
    if (n < 0)
        return false;
    r->have += (size_t)n;
    r->end = n == 0;
    return true;
}

static struct cell *add_cell(struct reader *r)
{
    if (r->n_cells == r->cells_room) {
        r->cells_room = r->cells_room ? r->cells_room * 2 : 64;
        r->cells = grow(r->cells, r->cells_room * sizeof(*r->cells));
    }
    struct cell *cell = &r->cells[r->n_cells++];
    *cell = (struct cell){.text = ""};
    return cell;
}

/* What stands at p behind a cell: a delimiter, a line end, or something else (then *at stays). */
static enum cut cut_at(struct reader *r, const char *p, const char *end, size_t *skip)
{
    *skip = 0;
    if (p == end)
        return r->end ? CUT_ROW : CUT_MORE;
    if (*p == r->delimiter || *p == '\n') {
        *skip = 1;
        r->eol_size = *p == '\n';
        return *p == '\n' ? CUT_ROW : CUT_CELL;
    }
    if (*p != '\r')
        return 0;
    if (p + 1 == end)
        return r->end ? 0 : CUT_MORE;
    if (p[1] != '\n')
        return 0;
    *skip = r->eol_size = 2;
    return CUT_ROW;
}

static enum cut bare_cell(struct reader *r, struct cell *cell, const char **at, const char *end)
{
    const char *begin = *at, *p = begin;
    size_t skip;
    enum cut cut;
    while (!(cut = cut_at(r, p, end, &skip)))
        p++;
    if (cut == CUT_MORE)
        return cut;
    cell->text = cell->raw = begin;
    cell->size = cell->raw_size = (size_t)(p - begin);
    cell->null = cell->size == 0;
    *at = p + skip;
    return cut;
}

/* Copies a piece of a cell that has doubled quotes in it. */
static void keep_piece(struct reader *r, struct cell *cell, const char *text, size_t size)
{
    if (!cell->size)
        cell->text = r->plain + r->plain_used;
    memcpy(r->plain + r->plain_used, text, size);
    r->plain_used += size;
    cell->size += size;
}

static enum cut quoted_cell(struct reader *r, struct cell *cell, const char **at, const char *end)
{
    const char *begin = *at, *piece = begin + 1;
    for (;;) {
        const char *quote = memchr(piece, '"', (size_t)(end - piece));
        if (!quote || (quote + 1 == end && !r->end))
            return r->end ? CUT_UNCLOSED : CUT_MORE;
        bool doubled = quote + 1 < end && quote[1] == '"';
        if (!doubled && piece == begin + 1) {
            cell->text = piece;
            cell->size = (size_t)(quote - piece);
        } else {
            keep_piece(r, cell, piece, (size_t)(quote + doubled - piece));
        }
        piece = quote + 1 + doubled;
        if (!doubled)
            break;
    }
    size_t skip;
    enum cut cut;
    const char *p = piece;
    while (!(cut = cut_at(r, p, end, &skip))) {
        r->malformed = true;
        p++;
    }
    if (cut == CUT_MORE)
        return cut;
    cell->raw = begin;
    cell->raw_size = (size_t)(p - begin);
    *at = p + skip;
    return cut;
}

static enum cut read_row(struct reader *r)
{
    const char *begin = r->data + r->at, *at = begin, *end = r->data + r->have;
    enum cut cut = CUT_CELL;
    r->n_cells = 0;
    r->plain_used = 0;
    r->eol_size = 0;
    r->malformed = false;
    while (cut == CUT_CELL) {
        struct cell *cell = add_cell(r);
        cut = at < end && *at == '"' ? quoted_cell(r, cell, &at, end) : bare_cell(r, cell, &at, end);
    }
    r->raw = begin;
    r->raw_size = (size_t)(at - begin);
    return cut;
}

static void count_lines(struct reader *r)
{
    const char *at = r->raw, *end = at + r->raw_size;
    r->line = r->next_line;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        r->next_line++;
        at++;
    }
}

enum reader_end reader_next(struct reader *r)
{
    for (;;) {
        if (r->end && r->at == r->have)
            return READER_END;
        enum cut cut = read_row(r);
        /* A row that ends where the data ends without a line end is whole only at the end of the file. */
        if (cut == CUT_ROW)
            break;
        if (cut == CUT_UNCLOSED)
            return r->line = r->next_line, READER_UNCLOSED;
        if (r->have - r->at > ROW_BYTES_MAX)
            return r->line = r->next_line, READER_LARGE;
        if (!refill(r))
            return READER_ERRNO;
    }
    count_lines(r);
    r->at += r->raw_size;
    r->blank = r->raw_size == r->eol_size;
    return READER_ROW;
}
