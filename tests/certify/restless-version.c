/* SPDX-License-Identifier: MIT */
/* restless-version.c - a broken connector: the version changes with every read. */
#define NAME "restless-version"
#include "whole.h"
static const struct faults faults = {.version_restless = true};
