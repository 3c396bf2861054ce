/* SPDX-License-Identifier: MIT */
/* skipping-cursor.c - a broken connector: its cursor passes updates. */
#define NAME "skipping-cursor"
#include "whole.h"
static const struct faults faults = {.cursor_skips = true};
