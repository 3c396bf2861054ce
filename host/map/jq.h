/* SPDX-License-Identifier: MIT */
/* jq.h - the one libjq door: compiled expressions over records, with exact numbers and a deadline. */
#ifndef MAP_JQ_H
#define MAP_JQ_H

#include <stdbool.h>

#include "record/record.h"

struct jq_expr;

/*
 * Compiles a program. Refused with the word named: env, $ENV, now, input, inputs, import, include, debug, halt, halt_error,
 * input_line_number, $__loc__, getpath escapes excepted. $now is bound to the run's clock (seconds). Slow (20 ms): once a worker.
 */
int jq_compile(const char *program, struct jq_expr **out, struct err *e);
void jq_free(struct jq_expr *x); /* accepts NULL */
/*
 * Runs over the record's fields as one object (plus .id, unless a field has that name). Numbers a double cannot hold exactly enter as strings.
 * First output only; none is ABSENT. now_ms is the run's clock. deadline: 1 s of run time. ERR_INPUT on a jq error.
 */
int jq_value(struct jq_expr *x, const struct sl_record *r, int64_t now_ms, struct arena *a, struct sl_value *out,
             struct err *e);
/* As a condition: false and null are false, no output is false. */
int jq_true(struct jq_expr *x, const struct sl_record *r, int64_t now_ms, bool *out, struct err *e);

#endif
