/* SPDX-License-Identifier: MIT */
/* scan.h - a lexical look at a jq program before it is compiled: forbidden words, balance, which fields it reads. */
#ifndef MAP_SCAN_H
#define MAP_SCAN_H

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"

/* What a program can see of the record it is run over. */
struct scan {
    bool uses_now; /* it names $now */
    bool paths; /* it may work with paths, openly or inside libjq */
    bool whole; /* it may look at the record as a whole; else only at the fields in names */
    const char **names;
    size_t n_names;
};

/*
 * Reads the program as libjq's own lexer would. ERR_CONFIG with the place and the next step if it holds a word that reaches outside
 * the record (only as a function or variable: a field .env and a key {env: 1} are fine), or if its brackets, strings or
 * if...end are not balanced in themselves: an accepted program cannot get out of "(\n", program, "\n)". The names live in the arena.
 */
int scan_program(const char *program, struct arena *a, struct scan *out, struct err *e);

#endif
