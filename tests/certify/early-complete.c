/* SPDX-License-Identifier: MIT */
/* early-complete.c - a broken connector: COMPLETE comes one record too early. */
#define NAME "early-complete"
#include "whole.h"
static const struct faults faults = {.complete_early = true};
