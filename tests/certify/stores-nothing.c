/* SPDX-License-Identifier: MIT */
/* stores-nothing.c - a broken connector: answers applied and stores nothing. */
#define NAME "stores-nothing"
#include "whole.h"
static const struct faults faults = {.stores_nothing = true};
