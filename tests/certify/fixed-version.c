/* SPDX-License-Identifier: MIT */
/* fixed-version.c - a broken connector: the version never changes. */
#define NAME "fixed-version"
#include "whole.h"
static const struct faults faults = {.version_fixed = true};
