/* SPDX-License-Identifier: MIT */
/* jq.h - the one libjq door: compiled expressions over records, with exact numbers and a deadline. */
#ifndef MAP_JQ_H
#define MAP_JQ_H

#include <stdbool.h>

#include "record/record.h"

struct jq_expr;

/*
 * Compiles a program. Refused with the word and its place named, as functions and variables (a field .env and a key {env: 1} are fine):
 * env, $ENV, now, input, inputs, import, include, module, modulemeta, debug, stderr, halt, halt_error, input_line_number, input_filename,
 * get_search_list, $__loc__, $__prog_args. $now is the run's clock in seconds. Slow (20 ms): once a worker. ERR_CONFIG.
 * One thread of the process uses expressions; SIGVTALRM and ITIMER_VIRTUAL belong to them and the signal must stay unblocked.
 */
int jq_compile(const char *program, struct jq_expr **out, struct err *e);
void jq_free(struct jq_expr *x); /* accepts NULL */
/*
 * Runs over the record's fields as one object (plus .id, unless a field has that name); ABSENT fields are not in it. Numbers that a double does
 * not give back by amount, and integers beyond 2^53, enter as strings; dates and times as RFC 3339 strings. First output only; none is ABSENT.
 * Whole numbers come out as INT up to 2^53, others as DECIMAL, lists and objects as JSON. ERR_INPUT on a jq error, or after 1 s of
 * running time: that ends every loop and recursion of a program, but not one call of a function that libjq has written in C (the known
 * ones that do not end or abort on bad data are guarded, see jq.c).
 */
int jq_value(struct jq_expr *x, const struct sl_record *r, int64_t now_ms, struct arena *a, struct sl_value *out,
             struct err *e);
/* As a condition: false and null are false, no output is false. */
int jq_true(struct jq_expr *x, const struct sl_record *r, int64_t now_ms, bool *out, struct err *e);

#endif
