/* SPDX-License-Identifier: MIT */
/* elf_check.h - whether a file is a whole shared object: the linker would crash on one that is cut short. */
#ifndef PLUGIN_ELF_CHECK_H
#define PLUGIN_ELF_CHECK_H

#include "base/err.h"

/* Checks the open file fd of n_bytes; file is its name for the sentence. Returns 0 or ERR_CONFIG. */
int elf_check(int fd, unsigned long long n_bytes, const char *file, struct err *e);

#endif
