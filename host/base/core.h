/* SPDX-License-Identifier: MIT */
/* core.h - no core file: what a process that holds secrets has in its memory goes to no disk. */
#ifndef BASE_CORE_H
#define BASE_CORE_H

/* For this process: it leaves no core file and no other user's debugger may look. Programs it starts leave none either unless they ask for it. */
void core_refuse(void);

#endif
