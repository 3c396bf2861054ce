/* SPDX-License-Identifier: MIT */
/* sqlite_file.c - an empty SQLite database of one table, as bytes: there is none to ask for one here. */
#include <string.h>

#include "certify.h"

/* As the file format says: a page of the schema with one row, and an empty page of the table. */
enum { PAGE = 1024, HEADER = 100, LEAF = 13, LEAF_HEADER = 8 };

static void put16(char *at, unsigned n)
{
    at[0] = (char)(n >> 8);
    at[1] = (char)n;
}

static void leaf(char *at, unsigned n_cells, unsigned content)
{
    at[0] = LEAF;
    put16(at + 3, n_cells);
    put16(at + 5, content);
}

/* type, name, tbl_name, rootpage, sql; create is 58 to 900 bytes: its length is a varint of two. */
static size_t row(char *out, const char *create)
{
    static const char texts[] = "tablethings"
                                "things";
    size_t n_sql = strlen(create), type = 13 + 2 * n_sql, n = 0;
    size_t n_header = 7, n_payload = n_header + sizeof texts - 1 + 1 + n_sql;
    out[n++] = (char)(0x80 | n_payload >> 7);
    out[n++] = (char)(n_payload & 0x7f);
    out[n++] = 1; /* row id */
    out[n++] = (char)n_header;
    out[n++] = 13 + 2 * 5;
    out[n++] = 13 + 2 * 6;
    out[n++] = 13 + 2 * 6;
    out[n++] = 1; /* an integer of one byte */
    out[n++] = (char)(0x80 | type >> 7);
    out[n++] = (char)(type & 0x7f);
    memcpy(out + n, texts, sizeof texts - 1);
    n += sizeof texts - 1;
    out[n++] = 2; /* the table's page */
    memcpy(out + n, create, n_sql);
    return n + n_sql;
}

void sqlite_file(struct buf *out, const char *create)
{
    char page[2 * PAGE] = "SQLite format 3", cell[PAGE];
    size_t n = row(cell, create);
    put16(page + 16, PAGE);
    page[18] = page[19] = 1; /* a rollback journal */
    page[21] = 64;
    page[22] = page[23] = 32;
    page[27] = 1; /* change counter */
    page[31] = 2; /* pages */
    page[43] = 1; /* schema cookie */
    page[47] = 4; /* schema format */
    page[59] = 1; /* UTF-8 */
    page[95] = 1; /* valid for this change counter */
    leaf(page + HEADER, 1, (unsigned)(PAGE - n));
    put16(page + HEADER + LEAF_HEADER, (unsigned)(PAGE - n));
    memcpy(page + PAGE - n, cell, n);
    leaf(page + PAGE, 0, PAGE);
    buf_add(out, page, sizeof page);
}
