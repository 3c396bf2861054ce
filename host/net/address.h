/* SPDX-License-Identifier: MIT */
/* address.h - which network addresses a request may reach. Pure. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

enum address_kind { ADDRESS_PUBLIC = 1, ADDRESS_LOOPBACK, ADDRESS_PRIVATE, ADDRESS_LINK_LOCAL, ADDRESS_OTHER };

/* Of a resolved address, IPv4 in IPv6 seen through. OTHER: multicast, unspecified, reserved, or no internet address. */
int address_kind(const struct sockaddr *address);
/* "loopback", "private", ... for sentences. */
const char *address_word(int kind);

#endif
