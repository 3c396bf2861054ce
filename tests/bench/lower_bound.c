/* SPDX-License-Identifier: MIT */
/* lower_bound.c - the least that a durable two-way sync of two folders can do: stat, hash what changed, copy, keep an index. */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { BATCH = 1000, NAME_BYTES = 48, CONTENT_BYTES = 1 << 20 };

struct stamp {
    uint64_t ino, size, mtime_ns;
};

/* One name: what the sides hold now, and what both held when they last agreed. */
struct entry {
    char name[NAME_BYTES];
    struct stamp stamp[2];
    uint64_t hash; /* when last in step; what follows is not compared */
    bool known, there[2];
};

struct table {
    struct entry *rows;
    size_t n, room;
};

struct copies {
    char names[BATCH][NAME_BYTES];
    struct entry *entries[BATCH];
    size_t n;
};

static int dirs[2];
static char content[CONTENT_BYTES];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int by_name(const void *x, const void *y)
{
    return strcmp(((const struct entry *)x)->name, ((const struct entry *)y)->name);
}

static struct entry *add(struct table *t, const char *name)
{
    if (t->n == t->room) {
        t->room = t->room ? t->room * 2 : 1024;
        t->rows = realloc(t->rows, t->room * sizeof *t->rows);
        if (!t->rows)
            die("realloc");
    }
    struct entry *e = &t->rows[t->n++];
    memset(e, 0, sizeof *e);
    snprintf(e->name, sizeof e->name, "%s", name);
    return e;
}

static struct stamp stamp_of(const struct stat *st)
{
    uint64_t ns = (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
    return (struct stamp){(uint64_t)st->st_ino, (uint64_t)st->st_size, ns};
}

static size_t slurp(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, content, sizeof content);
    if (n < 0)
        die(name);
    close(fd);
    return (size_t)n;
}

/* Both listings and the index, merged into one table by name. */
static void scan(struct table *t, int side)
{
    size_t n_known = t->n;
    int fd = dup(dirs[side]);
    DIR *d = fdopendir(fd);
    struct dirent *at;
    struct stat st;
    while (d && (at = readdir(d))) {
        if (at->d_name[0] == '.' || strlen(at->d_name) >= NAME_BYTES || fstatat(dirs[side], at->d_name, &st, 0) != 0)
            continue;
        struct entry key;
        snprintf(key.name, sizeof key.name, "%s", at->d_name);
        struct entry *e = n_known ? bsearch(&key, t->rows, n_known, sizeof key, by_name) : NULL;
        if (!e)
            e = add(t, at->d_name);
        struct stamp now = stamp_of(&st);
        e->there[side] = true;
        if (memcmp(&now, &e->stamp[side], sizeof now) == 0)
            continue;
        e->stamp[side] = now;
        e->stamp[side].size |= 1ull << 63; /* looks different: to be hashed */
    }
    closedir(d);
    qsort(t->rows, t->n, sizeof *t->rows, by_name);
}

static void load(struct table *t, const char *path)
{
    struct entry e;
    FILE *in = fopen(path, "r");
    while (in && fread(&e, sizeof e, 1, in) == 1)
        *add(t, e.name) = e;
    if (in)
        fclose(in);
    for (size_t i = 0; i < t->n; i++)
        t->rows[i].there[0] = t->rows[i].there[1] = false;
}

/* Of what save would write. */
static uint64_t digest(const struct table *t)
{
    uint64_t h = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i].known)
            h = XXH3_64bits_withSeed(&t->rows[i], offsetof(struct entry, known), h);
    return h;
}

static void save(const struct table *t, const char *path)
{
    char temp[4096];
    int folder = open(".", O_RDONLY | O_DIRECTORY); /* the index lies where it is run */
    snprintf(temp, sizeof temp, "%s.tmp", path);
    FILE *out = fopen(temp, "w");
    for (size_t i = 0; out && i < t->n; i++)
        if (t->rows[i].known && fwrite(&t->rows[i], sizeof *t->rows, 1, out) != 1)
            die(temp);
    if (!out || fflush(out) != 0 || fsync(fileno(out)) != 0 || fclose(out) != 0 || rename(temp, path) != 0)
        die(temp);
    if (folder < 0 || fsync(folder) != 0)
        die("fsync");
    close(folder);
}

/* Contents first, then names, then the folder: the same order of durability as Syncline's. */
static void publish(struct copies *c, int to)
{
    char temp[NAME_BYTES + 8];
    struct stat st;
    if (c->n == 0)
        return;
    if (syncfs(dirs[to]) != 0)
        die("syncfs");
    for (size_t i = 0; i < c->n; i++) {
        snprintf(temp, sizeof temp, ".%s.t", c->names[i]);
        if (renameat(dirs[to], temp, dirs[to], c->names[i]) != 0 || fstatat(dirs[to], c->names[i], &st, 0) != 0)
            die(temp);
        c->entries[i]->stamp[to] = stamp_of(&st);
    }
    if (fsync(dirs[to]) != 0)
        die("fsync");
    c->n = 0;
}

static void copy(struct copies *c, struct entry *e, int from)
{
    char temp[NAME_BYTES + 8];
    int to = from ^ 1;
    size_t n = slurp(dirs[from], e->name);
    snprintf(temp, sizeof temp, ".%s.t", e->name);
    int fd = openat(dirs[to], temp, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0 || write(fd, content, n) != (ssize_t)n || close(fd) != 0)
        die(temp);
    e->hash = XXH3_64bits(content, n);
    e->stamp[from].size &= ~(1ull << 63);
    e->known = true;
    c->entries[c->n] = e;
    snprintf(c->names[c->n++], NAME_BYTES, "%s", e->name);
    if (c->n == BATCH)
        publish(c, to);
}

static bool changed(struct entry *e, int side)
{
    if (!e->there[side])
        return e->known;
    if (!(e->stamp[side].size >> 63))
        return false;
    e->stamp[side].size &= ~(1ull << 63);
    return !e->known || XXH3_64bits(content, slurp(dirs[side], e->name)) != e->hash;
}

static void settle(struct copies c[2], struct entry *e, unsigned long *conflicts)
{
    bool differs[2] = {changed(e, 0), changed(e, 1)};
    if (differs[0] && differs[1] && e->there[0] && e->there[1]) {
        ++*conflicts;
        e->stamp[0].mtime_ns = e->stamp[1].mtime_ns = 0; /* looked at again next time */
        return;
    }
    for (int s = 0; s < 2; s++) {
        if (!differs[s] || (!e->there[s] && differs[s ^ 1] && e->there[s ^ 1]))
            continue;
        if (e->there[s])
            copy(&c[s ^ 1], e, s);
        else if (!e->there[s ^ 1] || unlinkat(dirs[s ^ 1], e->name, 0) == 0)
            e->known = false;
    }
}

/* lower_bound A B INDEX */
int main(int argc, char **argv)
{
    struct table t = {0};
    static struct copies c[2];
    unsigned long conflicts = 0;
    if (argc != 4)
        return 2;
    for (int s = 0; s < 2; s++)
        if ((dirs[s] = open(argv[1 + s], O_RDONLY | O_DIRECTORY)) < 0)
            die(argv[1 + s]);
    load(&t, argv[3]);
    uint64_t before = digest(&t);
    scan(&t, 0);
    scan(&t, 1);
    for (size_t i = 0; i < t.n; i++)
        settle(c, &t.rows[i], &conflicts);
    publish(&c[0], 0);
    publish(&c[1], 1);
    if (digest(&t) != before) {
        if (fsync(dirs[0]) != 0 || fsync(dirs[1]) != 0)
            die("fsync");
        save(&t, argv[3]);
    }
    printf("%lu in conflict\n", conflicts);
    return 0;
}
