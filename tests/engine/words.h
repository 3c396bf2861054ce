/* SPDX-License-Identifier: MIT */
/* words.h - a pair, read from the words of kit_new. */
#ifndef TESTS_ENGINE_WORDS_H
#define TESTS_ENGINE_WORDS_H

#include "kit.h"

/* Fills the kit's pair, and what its worlds can do. */
void words_read(struct kit *k, const char *words);

#endif
