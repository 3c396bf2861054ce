/* SPDX-License-Identifier: MIT */
/* address.c - which network addresses a request may reach. */
#include "net/address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct span4 {
    uint32_t from, to;
    int kind;
};
#define IP4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
static const struct span4 spans4[] = {
    {IP4(0, 0, 0, 0), IP4(0, 255, 255, 255), ADDRESS_OTHER},
    {IP4(10, 0, 0, 0), IP4(10, 255, 255, 255), ADDRESS_PRIVATE},
    {IP4(100, 64, 0, 0), IP4(100, 127, 255, 255), ADDRESS_PRIVATE}, /* carriers' own */
    {IP4(127, 0, 0, 0), IP4(127, 255, 255, 255), ADDRESS_LOOPBACK},
    {IP4(169, 254, 0, 0), IP4(169, 254, 255, 255), ADDRESS_LINK_LOCAL}, /* clouds hand out credentials there */
    {IP4(172, 16, 0, 0), IP4(172, 31, 255, 255), ADDRESS_PRIVATE},
    {IP4(192, 0, 0, 0), IP4(192, 0, 0, 255), ADDRESS_OTHER},
    {IP4(192, 168, 0, 0), IP4(192, 168, 255, 255), ADDRESS_PRIVATE},
    {IP4(198, 18, 0, 0), IP4(198, 19, 255, 255), ADDRESS_PRIVATE}, /* benchmarks */
    {IP4(224, 0, 0, 0), IP4(255, 255, 255, 255), ADDRESS_OTHER},
};

static int kind4(uint32_t ip)
{
    for (size_t i = 0; i < sizeof spans4 / sizeof *spans4; i++)
        if (ip >= spans4[i].from && ip <= spans4[i].to)
            return spans4[i].kind;
    return ADDRESS_PUBLIC;
}

static uint32_t last4(const uint8_t *b)
{
    return IP4(b[0], b[1], b[2], b[3]);
}

static int kind6(const uint8_t b[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
    static const uint8_t zeros[15];
    if (memcmp(b, zeros, 15) == 0)
        return b[15] == 1 ? ADDRESS_LOOPBACK : ADDRESS_OTHER;
    if (memcmp(b, mapped, 12) == 0 || memcmp(b, nat64, 12) == 0 || memcmp(b, zeros, 12) == 0)
        return kind4(last4(b + 12));
    if (b[0] == 0x20 && b[1] == 0x02) /* 6to4 */
        return kind4(last4(b + 2));
    if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
        return ADDRESS_LINK_LOCAL;
    if ((b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0xc0))
        return ADDRESS_PRIVATE;
    return b[0] == 0xff ? ADDRESS_OTHER : ADDRESS_PUBLIC;
}

int address_kind(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return kind4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof in);
        return kind6(in.sin6_addr.s6_addr);
    }
    return ADDRESS_OTHER;
}

const char *address_word(int kind)
{
    static const char *const words[] = {"unknown", "public", "loopback", "private", "link-local", "reserved"};
    return kind >= ADDRESS_PUBLIC && kind <= ADDRESS_OTHER ? words[kind] : words[0];
}
