/* SPDX-License-Identifier: MIT */
/* error-tombstone.c - a broken connector: a record that is unreadable is told as gone. */
#define NAME "error-tombstone"
#include "whole.h"
static const struct faults faults = {.errors_are_tombstones = true};
