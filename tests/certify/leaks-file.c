/* SPDX-License-Identifier: MIT */
/* leaks-file.c - a broken connector: leaves open the file of each record it reads. */
#define NAME "leaks-file"
#include "whole.h"
static const struct faults faults = {.leaks_file = true};
