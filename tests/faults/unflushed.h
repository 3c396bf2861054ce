/* SPDX-License-Identifier: MIT */
/* unflushed.h - what a power cut may take: bytes and names that no flush has made durable. */
#ifndef TESTS_UNFLUSHED_H
#define TESTS_UNFLUSHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { FLUSH_NAME_ROOM = 256 };

struct folder_seen {
    dev_t device;
    ino_t inode;
    int fd; /* O_PATH, kept: it stays right when the folder gets another name */
    struct folder_seen *next;
};

/* The system call itself, past the functions that stand before it. Returns -1 with errno. */
long real_call(long number, ...);

void unflushed_begin(const char *spare);
/* Before a file's content changes: keeps the content that is durable. fresh: it is new, so nothing is. */
void unflushed_file(int fd, bool fresh);
/* A flush of a file (all of it, or what one synchronous write wrote), of a folder, of everything. */
void unflushed_flush_file(int fd);
void unflushed_flush_range(int fd, off_t offset, size_t n_bytes);
void unflushed_flush_folder(const struct stat *st);
void unflushed_flush_all(void);

/* The folder behind an O_PATH descriptor, which is taken over. */
struct folder_seen *unflushed_folder(int fd);
/* A name appeared. */
void unflushed_made(struct folder_seen *f, const char *name);
/* Before a name goes or is replaced: keeps what it names (an empty folder is gone then). Returns its number, for the next two. */
unsigned unflushed_keep(struct folder_seen *f, const char *name);
void unflushed_gone(struct folder_seen *f, const char *name, unsigned kept);
void unflushed_moved(struct folder_seen *from, const char *name, struct folder_seen *to, const char *to_name,
                     unsigned kept);

/* Leaves a random part of all that, as a disk might. */
void unflushed_lose(uint64_t seed);

#endif
