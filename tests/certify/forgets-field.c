/* SPDX-License-Identifier: MIT */
/* forgets-field.c - a broken connector: an update of two fields stores one. */
#define NAME "forgets-field"
#include "whole.h"
static const struct faults faults = {.forgets_last_field = true};
