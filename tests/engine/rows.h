/* SPDX-License-Identifier: MIT */
/* rows.h - the rows of test_tables.c: every policy of the engine as before and after. */
#ifndef TESTS_ENGINE_ROWS_H
#define TESTS_ENGINE_ROWS_H

static const struct row rows[] = {
    {.name = "I2: an edit on a goes to b", .pair = "fields=title,n",
     .a0 = "1:title=x;n=#1", .a1 = "1:title=y", .a2 = "1:n=#1;title=y", .b2 = "1:n=#1;title=y", .writes = {0, 1}},
    {.name = "new records on both sides", .pair = "fields=title",
     .a0 = "1:title=x", .a1 = "2:title=a", .b1 = "3:title=b", .a2 = "1:title=x | 2:title=a | 3:title=b",
     .b2 = "1:title=x | 2:title=a | 3:title=b", .writes = {1, 1}},
    {.name = "edits of different fields both flow", .pair = "fields=title,n",
     .a0 = "1:title=x;n=#1", .a1 = "1:title=y", .b1 = "1:n=#2", .a2 = "1:n=#2;title=y", .b2 = "1:n=#2;title=y", .writes = {1, 1}},
};

#endif
