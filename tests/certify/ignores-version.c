/* SPDX-License-Identifier: MIT */
/* ignores-version.c - a broken connector: writes whatever version is expected. */
#define NAME "ignores-version"
#include "whole.h"
static const struct faults faults = {.ignores_expected = true};
