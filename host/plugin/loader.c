/* SPDX-License-Identifier: MIT */
/* loader.c - loads a connector's file after checking the very file it loads. */
#include "plugin/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "net/sign.h"
#include "plugin/elf_check.h"
#include "plugin/session.h"

struct plugin_lib {
    struct plugin_lib *next;
    unsigned n_users; /* one file loaded twice is one object to the linker, and one lib here */
    dev_t device;
    ino_t inode;
    char *file;
    int fd; /* open as long as the object is loaded: the linker knows objects by name, and the name is /proc/self/fd/N */
    void *object;
    struct sl_plugin declared; /* as it came */
    struct sl_plugin table; /* what of it is relied on */
    struct proof proof;
    struct sl_plugin *adopted; /* the table, where it came another way; then nothing is loaded here */
    void (*drop)(struct sl_plugin *table);
};

/* What is loaded: the linker's list is one a process, so this one is, too. */
static struct plugin_lib *loaded;

static bool owner_ok(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Who can rename in the folder can swap the file; a sticky folder keeps that to the file's owner. */
static int check_folder(const char *file, struct err *e)
{
    struct stat st;
    char *copy = mem_dup(file);
    const char *folder = dirname(copy);
    if (stat(folder, &st) != 0)
        err_set(e, ERR_CONFIG, "%s: its folder: %s", file, strerror(errno));
    else if (!owner_ok(&st))
        err_set(e, ERR_CONFIG, "%s: its folder belongs to user %u, neither root nor you; chown it", file, st.st_uid);
    else if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
        err_set(e, ERR_CONFIG, "%s: everybody may write to its folder; chmod o-w %s", file, folder);
    mem_free(copy);
    return e->code;
}

static int check_digest(int fd, const char *sha256, const char *file, struct err *e)
{
    enum { PIECE = 1 << 16, BYTES = 32 };
    uint8_t digest[BYTES];
    char is[2 * BYTES + 1];
    struct buf all = {0};
    ssize_t n = 0;
    while ((n = pread(fd, buf_room(&all, PIECE), PIECE, (off_t)all.size)) > 0)
        buf_took(&all, (size_t)n);
    sign_sha256(all.data, all.size, digest);
    buf_fini(&all);
    if (n < 0)
        return err_set(e, ERR_CONFIG, "%s: %s", file, strerror(errno));
    hex_encode(digest, sizeof digest, is);
    if (strcasecmp(is, sha256) != 0)
        return err_set(
            e, ERR_CONFIG,
            "%s: its SHA-256 is %s, the config allows only %s; put the allowed file back, or look at this one "
            "and write its SHA-256 as plugin_sha256",
            file, is, sha256);
    return 0;
}

static int check_file(int fd, const char *file, const char *sha256, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_set(e, ERR_CONFIG, "%s: %s", file, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_CONFIG, "%s: it is not a regular file", file);
    if (!owner_ok(&st))
        return err_set(e, ERR_CONFIG, "%s: it belongs to user %u, neither root nor you; chown it", file, st.st_uid);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(e, ERR_CONFIG, "%s: its %s may write to it; chmod go-w %s", file,
                       st.st_mode & S_IWOTH ? "whole world" : "group", file);
    if (elf_check(fd, (unsigned long long)st.st_size, file, e))
        return e->code;
    return sha256 ? check_digest(fd, sha256, file, e) : 0;
}

/* Out of the way of the low numbers that a process is started with. */
static int open_away(const char *file)
{
    enum { LOWEST = 10 };
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fd;
    int away = fcntl(fd, F_DUPFD_CLOEXEC, LOWEST);
    int why = errno;
    close(fd);
    errno = why;
    return away;
}

int plugin_open(const char *file, const char *sha256, int *fd, struct err *e)
{
    *fd = open_away(file);
    if (*fd < 0)
        return err_set(e, ERR_CONFIG, "%s: %s", file, strerror(errno));
    if (check_folder(file, e) == 0 && check_file(*fd, file, sha256, e) == 0)
        return 0;
    close(*fd);
    *fd = -1;
    return e->code;
}

static void fd_path(int fd, char out[64])
{
    snprintf(out, 64, "/proc/self/fd/%d", fd);
}

/* The linker's sentence begins with the name it was given, which tells a person nothing. */
static int dl_error(const char *file, const char *path, struct err *e)
{
    const char *text = dlerror();
    size_t n = strlen(path);
    if (text && strncmp(text, path, n) == 0 && text[n] == ':')
        text += n + 1 + (text[n + 1] == ' ');
    return err_set(e, ERR_CONFIG, "%s: the linker refuses it: %s; install what it needs or build it again", file,
                   text ? text : "no reason given");
}

/* The symbol's size in the object bounds what the table says of itself. Zero: the object does not tell. */
static const struct sl_plugin *find_table(const struct plugin_lib *lib, struct err *e)
{
    Dl_info info;
    ElfW(Sym) *symbol = NULL;
    const struct sl_plugin *table = dlsym(lib->object, "syncline_plugin");
    if (!table) {
        err_set(e, ERR_CONFIG, "%s: it exports no symbol syncline_plugin; a connector defines it with SL_EXPORT",
                lib->file);
        return NULL;
    }
    if (!dladdr1(table, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol || !symbol->st_size)
        return table;
    if (symbol->st_size < offsetof(struct sl_plugin, name) || symbol->st_size < table->size) {
        err_set(e, ERR_CONFIG, "%s: its symbol syncline_plugin has %llu bytes, its table says more; tell its author",
                lib->file, (unsigned long long)symbol->st_size);
        return NULL;
    }
    return table;
}

/* The linker names other reasons when it has no memory. So this asks for some, and then the linker once more. */
static void *open_object(const char *path)
{
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object)
        return object;
    mem_free(mem_alloc(4096));
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/* The weaker of declared and proven. */
static void rely_on_proven(struct plugin_lib *lib, struct sl_plugin *table)
{
    lib->proof = proof_read(lib->file, lib->fd);
    table->caps &= ~(lib->proof.judged & ~lib->proof.proven);
}

static int load_object(struct plugin_lib *lib, struct err *e)
{
    char path[64];
    fd_path(lib->fd, path);
    lib->object = open_object(path);
    if (!lib->object)
        return dl_error(lib->file, path, e);
    const struct sl_plugin *theirs = find_table(lib, e);
    if (!theirs)
        return ERR_CONFIG;
    if (plugin_negotiate(theirs, lib->file, SESSION_SERVICES, &lib->declared, e))
        return ERR_CONFIG;
    lib->table = lib->declared;
    rely_on_proven(lib, &lib->table);
    return 0;
}

/* An object the linker keeps (RTLD_NODELETE) keeps its name, so its descriptor stays open and the number is not used again. */
static bool resident(int fd)
{
    char path[64];
    fd_path(fd, path);
    void *still = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
    if (still)
        dlclose(still);
    return still != NULL;
}

static void release(struct plugin_lib *lib)
{
    if (lib->adopted)
        lib->drop(lib->adopted);
    if (lib->object)
        dlclose(lib->object);
    if (lib->fd >= 0 && !(lib->object && resident(lib->fd)))
        close(lib->fd);
    mem_free(lib->file);
    mem_free(lib);
}

static struct plugin_lib *loaded_before(const struct plugin_lib *lib)
{
    struct plugin_lib *l = loaded;
    while (l && (l->device != lib->device || l->inode != lib->inode || strcmp(l->file, lib->file) != 0))
        l = l->next;
    return l;
}

static struct plugin_lib *keep(struct plugin_lib *lib)
{
    lib->next = loaded;
    loaded = lib;
    return lib;
}

/* The very file, by whatever name, is one object to the linker. */
static bool identify(struct plugin_lib *lib)
{
    struct stat st;
    if (fstat(lib->fd, &st) != 0)
        return false;
    lib->device = st.st_dev;
    lib->inode = st.st_ino;
    return true;
}

int plugin_load_open(const char *file, const char *sha256, int fd, struct plugin_lib **out, struct err *e)
{
    struct plugin_lib *lib = mem_alloc(sizeof(*lib));
    struct plugin_lib *found = NULL;
    struct err why = {0};
    lib->file = mem_dup(file);
    lib->fd = fd;
    if (check_file(fd, file, sha256, &why) == 0 && identify(lib)) {
        found = loaded_before(lib);
        if (!found && load_object(lib, &why) == 0)
            found = keep(lib);
    }
    if (found != lib)
        release(lib);
    if (found)
        found->n_users++;
    else
        err_set(e, why.code, "%s", why.text);
    *out = found;
    return why.code;
}

int plugin_load(const char *file, struct plugin_lib **out, struct err *e)
{
    int fd = -1;
    struct err why = {0};
    *out = NULL;
    if (plugin_open(file, NULL, &fd, &why))
        return err_set(e, why.code, "%s", why.text);
    return plugin_load_open(file, NULL, fd, out, e);
}

struct plugin_lib *plugin_adopt(const char *file, int fd, struct sl_plugin *table,
                                void (*drop)(struct sl_plugin *table))
{
    struct plugin_lib *lib = mem_alloc(sizeof(*lib));
    lib->file = mem_dup(file);
    lib->fd = fd;
    lib->n_users = 1;
    lib->adopted = table;
    lib->drop = drop;
    lib->declared = *table;
    rely_on_proven(lib, table);
    lib->fd = -1;
    return lib;
}

void plugin_unload(struct plugin_lib *lib)
{
    struct plugin_lib **at = &loaded;
    if (!lib || --lib->n_users)
        return;
    while (*at && *at != lib)
        at = &(*at)->next;
    if (*at)
        *at = lib->next;
    release(lib);
}

const struct sl_plugin *plugin_table(const struct plugin_lib *lib)
{
    return lib->adopted ? lib->adopted : &lib->table;
}

const struct sl_plugin *plugin_declared(const struct plugin_lib *lib)
{
    return &lib->declared;
}

struct proof plugin_proof(const struct plugin_lib *lib)
{
    return lib->proof;
}

const char *plugin_file(const struct plugin_lib *lib)
{
    return lib->file;
}
