/* SPDX-License-Identifier: MIT */
/* chatters.c - a broken connector: writes to standard output. */
#define NAME "chatters"
#include "whole.h"
static const struct faults faults = {.chatters = true};
