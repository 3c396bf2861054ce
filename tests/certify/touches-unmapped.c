/* SPDX-License-Identifier: MIT */
/* touches-unmapped.c - a broken connector: an update writes a field that it was not given. */
#define NAME "touches-unmapped"
#include "whole.h"
static const struct faults faults = {.touches_unmapped = true};
