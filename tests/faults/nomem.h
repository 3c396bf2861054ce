/* SPDX-License-Identifier: MIT */
/* nomem.h - memory that ends under a process: its n-th allocation fails. */
#ifndef TESTS_NOMEM_H
#define TESTS_NOMEM_H

#include <stdbool.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NOMEM_IMPOSSIBLE "AddressSanitizer has an allocator of its own, which cannot be made to fail"
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define NOMEM_IMPOSSIBLE "AddressSanitizer has an allocator of its own, which cannot be made to fail"
#endif

/* From now on the at-th allocation fails; on: and all after it. 0: none does. */
void nomem_begin(unsigned long at, bool on);
unsigned long nomem_count(void); /* allocations since */

#endif
