/* SPDX-License-Identifier: MIT */
/* batch-lie.c - a broken connector: one bad write, and good ones are told as refused that were carried out. */
#define NAME "batch-lie"
#include "whole.h"
static const struct faults faults = {.batch_lies = true};
