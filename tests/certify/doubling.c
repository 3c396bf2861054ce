/* SPDX-License-Identifier: MIT */
/* doubling.c - a broken connector: a repeated create makes a second record. */
#define NAME "doubling"
#include "whole.h"
static const struct faults faults = {.repeat_doubles = true};
