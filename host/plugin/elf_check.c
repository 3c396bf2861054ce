/* SPDX-License-Identifier: MIT */
/* elf_check.c - whether a file is a whole shared object: the linker would crash on one that is cut short. */
#include "plugin/elf_check.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static bool read_at(int fd, void *out, size_t n_bytes, unsigned long long at)
{
    return pread(fd, out, n_bytes, (off_t)at) == (ssize_t)n_bytes;
}

static bool inside(unsigned long long at, unsigned long long size, unsigned long long n_bytes)
{
    return at <= n_bytes && size <= n_bytes - at;
}

/* Every segment and the table of sections (the file's end, as linkers write it) lie in the file. */
static bool whole(int fd, const ElfW(Ehdr) * head, unsigned long long n_bytes)
{
    ElfW(Phdr) segment;
    if (!inside(head->e_shoff, (unsigned long long)head->e_shnum * head->e_shentsize, n_bytes))
        return false;
    for (unsigned i = 0; i < head->e_phnum; i++) {
        unsigned long long at = head->e_phoff + (unsigned long long)i * sizeof(segment);
        if (!inside(at, sizeof(segment), n_bytes) || !read_at(fd, &segment, sizeof(segment), at))
            return false;
        if (!inside(segment.p_offset, segment.p_filesz, n_bytes))
            return false;
    }
    return true;
}

int elf_check(int fd, unsigned long long n_bytes, const char *file, struct err *e)
{
    ElfW(Ehdr) head;
    bool read = read_at(fd, &head, sizeof(head), 0);
    if (!read_at(fd, head.e_ident, SELFMAG, 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return err_set(e, ERR_CONFIG,
                       "%s: it is not an ELF object; a connector is a shared object built with cc -shared", file);
    if (read && (head.e_type != ET_DYN || head.e_phentsize != sizeof(ElfW(Phdr))))
        return err_set(e, ERR_CONFIG,
                       "%s: it is an ELF file, but not a shared object of this machine; build it here with cc -shared",
                       file);
    if (!read || !whole(fd, &head, n_bytes))
        return err_set(e, ERR_CONFIG, "%s: it is cut short at %llu bytes; copy or build it again", file, n_bytes);
    return 0;
}
