/* SPDX-License-Identifier: MIT */
/* decimal.h - exact decimals as texts: checked, compared and read as integers without ever being expanded. */
#ifndef RECORD_DECIMAL_H
#define RECORD_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A JSON number, whole: no blanks, no plus in front, no leading zeros. */
bool decimal_valid(const char *text, size_t n_bytes);
/* By amount: 0.10 is 0.1, 1e2 is 100. Texts that are no numbers come after all numbers, by bytes. */
int decimal_compare(const char *x, size_t x_bytes, const char *y, size_t y_bytes);
/* True if the amount is an integer of 64 bits: 1.0 and 1e3 are. */
bool decimal_integer(const char *text, size_t n_bytes, int64_t *out);
/* True if the text is how an integer of 64 bits prints: 1.0 and -0 are not. */
bool decimal_plain_integer(const char *text, size_t n_bytes, int64_t *out);

#endif
