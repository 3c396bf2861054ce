/* SPDX-License-Identifier: MIT */
/* tears.c - a broken connector: writes a record in place, a field at a time. */
#define NAME "tears"
#include "whole.h"
static const struct faults faults = {.tears = true};
