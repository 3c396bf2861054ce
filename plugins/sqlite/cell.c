/* SPDX-License-Identifier: MIT */
/* cell.c - one cell of a row: its bytes, its share of the row's hash, and what it means as an id, a time or a version. */
#include <stdio.h>
#include <string.h>

#include "connector.h"

/* SQLite gives no text where there is some only if it has no memory for it. */
const char *cell_text(sqlite3_stmt *stmt, int i)
{
    const char *text = (const char *)sqlite3_column_text(stmt, i);
    if (!text)
        sl_no_memory();
    return text;
}

struct cell cell_take(sqlite3_stmt *stmt, int i)
{
    struct cell c = {.kind = sqlite3_column_type(stmt, i), .text = ""};
    switch (c.kind) {
    case SQLITE_INTEGER:
        c.number = sqlite3_column_int64(stmt, i);
        break;
    case SQLITE_FLOAT:
        c.real = sqlite3_column_double(stmt, i);
        break;
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
        const void *data = c.kind == SQLITE_TEXT ? cell_text(stmt, i) : sqlite3_column_blob(stmt, i);
        c.size = (size_t)sqlite3_column_bytes(stmt, i);
        c.text = data ? data : "";
        break;
    }
    default:
        break;
    }
    return c;
}

/* Both steps are one to one: rows that differ in one word never get the same hash. */
static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9fb21c651e98df25u;
    return h ^ h >> 32;
}

static uint64_t mix_bytes(uint64_t h, const char *at, size_t n_bytes)
{
    uint64_t word = 0;
    for (; n_bytes >= sizeof(word); n_bytes -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        h = mix(h, word);
    }
    word = 0;
    memcpy(&word, at, n_bytes);
    return n_bytes ? mix(h, word) : h;
}

uint64_t cell_hash(uint64_t h, const struct cell *c)
{
    uint64_t word = (uint64_t)c->number;
    h = mix(h, (uint64_t)c->size << 8 | (unsigned)c->kind);
    if (c->kind == SQLITE_FLOAT)
        memcpy(&word, &c->real, sizeof(word));
    if (c->kind == SQLITE_INTEGER || c->kind == SQLITE_FLOAT)
        return mix(h, word);
    return mix_bytes(h, c->text, c->size);
}

void hash_version(uint64_t hash, char out[VERSION_BYTES])
{
    *out++ = 'h';
    for (int shift = 60; shift >= 0; shift -= 4)
        *out++ = "0123456789abcdef"[hash >> shift & 15];
    *out = 0;
}

bool cell_id(sqlite3_stmt *stmt, int i, char out[ID_BYTES])
{
    *out = 0;
    int kind = sqlite3_column_type(stmt, i);
    if (kind == SQLITE_INTEGER)
        integer_text(sqlite3_column_int64(stmt, i), out);
    if (kind != SQLITE_TEXT)
        return kind == SQLITE_INTEGER;
    const char *text = cell_text(stmt, i);
    size_t size = (size_t)sqlite3_column_bytes(stmt, i);
    if (!is_id(text, size))
        return false;
    memcpy(out, text, size + 1);
    return true;
}

/* Whole numbers are seconds or milliseconds since 1970; small ones (a flag, a counter, a Julian day) are no time. */
static bool number_moment(double number, bool whole, struct moment *out)
{
    bool ms = number >= 1e11;
    *out = (struct moment){(int64_t)(ms ? number : number * 1000), ms || !whole ? 1 : 1000, true};
    return number >= 1e8 && number < 1e15;
}

bool cell_moment(sqlite3_stmt *stmt, int i, struct moment *out)
{
    int kind = sqlite3_column_type(stmt, i);
    if (kind == SQLITE_INTEGER || kind == SQLITE_FLOAT)
        return number_moment(sqlite3_column_double(stmt, i), kind == SQLITE_INTEGER, out);
    const char *text = kind == SQLITE_TEXT ? cell_text(stmt, i) : NULL;
    return text && moment_parse(text, (size_t)sqlite3_column_bytes(stmt, i), out);
}

void cell_version(sqlite3_stmt *stmt, int i, char out[VERSION_BYTES])
{
    char number[32];
    switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_INTEGER:
        snprintf(out, VERSION_BYTES, "m%lld", (long long)sqlite3_column_int64(stmt, i));
        break;
    case SQLITE_FLOAT:
        real_text(sqlite3_column_double(stmt, i), number);
        snprintf(out, VERSION_BYTES, "m%s", number);
        break;
    default:
        snprintf(out, VERSION_BYTES, "m%.70s", cell_text(stmt, i));
    }
}
