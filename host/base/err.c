/* SPDX-License-Identifier: MIT */
/* err.c - errors: a code that tells the caller its next move, a sentence that tells the person theirs. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A sentence that was cut must not end inside a UTF-8 character. */
static void trim_character(char *text)
{
    size_t n = strlen(text);
    while (n && ((unsigned char)text[n - 1] & 0xC0) == 0x80)
        n--;
    if (n && (unsigned char)text[n - 1] >= 0xC0)
        n--;
    text[n] = '\0';
}

/* What an error quotes may hold line breaks; the error stays one line. */
static void flatten(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = ' ';
}

int err_set(struct err *e, int code, const char *format, ...)
{
    if (!e)
        return code;
    if (e->code != ERR_NONE)
        return e->code;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(e->text, sizeof(e->text), format, args);
    va_end(args);
    if (n >= (int)sizeof(e->text))
        trim_character(e->text);
    flatten(e->text);
    e->code = code;
    return code;
}

void err_clear(struct err *e)
{
    e->code = ERR_NONE;
    e->text[0] = '\0';
}

int err_exit(const struct err *e)
{
    switch (e->code) {
    case ERR_NONE:
        return 0;
    case ERR_CONFIG:
        return 2;
    default:
        return 1;
    }
}
