/* SPDX-License-Identifier: MIT */
/* words.h - the words of the protocol for the SDK's numbers. */
#ifndef EXEC_WORDS_H
#define EXEC_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct word {
    const char *text;
    uint64_t value;
};
extern const struct word class_words[], cap_words[], type_words[], flag_words[], rule_words[], page_words[],
    result_words[];
extern const char *const kind_words[]; /* enum sl_write_kind */
/* The word's value in a list that ends with {NULL, 0}; 0: it is none of them (or text is NULL). */
uint64_t word_value(const struct word *words, const char *text);

#endif
