/* SPDX-License-Identifier: MIT */
/* newer.c - the same connector built against grown headers: it fills what this host does not know with garbage. */
#define NAME "newer"
#define MORE , .grown_number = 0x7777777777777777, .grown_text = (const char *)8
#include "old.c"
