/* SPDX-License-Identifier: MIT */
/* find.c - the folders connectors are looked for in, and what is in them. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "plugin/loader.h"

/* Beside the executable: a build folder, and an installation. */
static const char *const own_folders[] = {"plugins", "../lib/syncline/plugins"};
enum { N_OWN = sizeof(own_folders) / sizeof(*own_folders) };

/* The executable's folder, or NULL where /proc does not tell. */
static const char *executable_folder(struct arena *a)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n <= 0)
        return NULL;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    return arena_text(a, path);
}

void plugin_path_init(struct plugin_path *path, struct arena *a, const char *const *config_folders, size_t n)
{
    const char *own = executable_folder(a);
    path->folders = arena_alloc(a, (n + N_OWN) * sizeof(*path->folders));
    path->n_folders = 0;
    for (size_t i = 0; i < n; i++)
        path->folders[path->n_folders++] = arena_text(a, config_folders[i]);
    for (size_t i = 0; own && i < N_OWN; i++)
        path->folders[path->n_folders++] = arena_printf(a, "%s/%s", own, own_folders[i]);
}

/* "jsondir" of "folder/jsondir.so", in the arena. */
static const char *name_of(struct arena *a, const char *file)
{
    const char *base = strrchr(file, '/');
    base = base ? base + 1 : file;
    return arena_dup(a, base, strlen(base) - strlen(".so"));
}

static bool is_plugin(const char *name)
{
    size_t n = strlen(name);
    return name[0] != '.' && n > strlen(".so") && strcmp(name + n - strlen(".so"), ".so") == 0;
}

struct listing {
    struct arena *a;
    const char **files;
    size_t n;
};

static bool listed(const struct listing *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(strrchr(l->files[i], '/') + 1, name) == 0)
            return true;
    return false;
}

static int wanted(const struct dirent *entry)
{
    return is_plugin(entry->d_name);
}

/* A folder that is not there or cannot be read holds no connectors. */
static void list_folder(struct listing *l, const char *folder)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, wanted, alphasort);
    for (int i = 0; i < n; i++) {
        if (!listed(l, entries[i]->d_name)) {
            l->files = mem_grow(l->files, (l->n + 1) * sizeof(*l->files));
            l->files[l->n++] = arena_printf(l->a, "%s/%s", folder, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
}

size_t plugin_list(const struct plugin_path *path, struct arena *a, const char ***files)
{
    struct listing l = {.a = a};
    for (size_t i = 0; i < path->n_folders; i++)
        list_folder(&l, path->folders[i]);
    *files = arena_dup(a, l.files, l.n * sizeof(*l.files));
    mem_free(l.files);
    return l.n;
}

static int not_found(const struct plugin_path *path, const char *name, struct err *e)
{
    struct arena a = {0};
    struct buf folders = {0};
    const char **files = NULL;
    size_t n = plugin_list(path, &a, &files);
    const char **names = arena_alloc(&a, (n + 1) * sizeof(*names));
    for (size_t i = 0; i < n; i++)
        names[i] = name_of(&a, files[i]);
    for (size_t i = 0; i < path->n_folders; i++)
        buf_printf(&folders, "%s%s", i ? ", " : "", path->folders[i]);
    const char *near = nearest_word(name, names, n);
    err_set(e, ERR_CONFIG, "connector '%.80s' is in none of the folders %s; %s%s%s", name,
            folders.size ? folders.data : "(there are none)", near ? "did you mean '" : "put its .so there",
            near ? near : "", near ? "'?" : "");
    buf_fini(&folders);
    arena_fini(&a);
    return ERR_CONFIG;
}

/* The first file of that name decides: a refused one is not passed over for another further on. */
int plugin_locate(const struct plugin_path *path, const char *name, struct arena *a, const char **file, struct err *e)
{
    struct stat st;
    for (size_t i = 0; i < path->n_folders && !strchr(name, '/') && *name; i++) {
        *file = arena_printf(a, "%s/%s.so", path->folders[i], name);
        if (stat(*file, &st) == 0)
            return 0;
    }
    *file = NULL;
    return not_found(path, name, e);
}

int plugin_find(const struct plugin_path *path, const char *name, struct plugin_lib **lib, struct err *e)
{
    struct arena a = {0};
    const char *file = NULL;
    *lib = NULL;
    int code = plugin_locate(path, name, &a, &file, e);
    if (!code)
        code = plugin_load(file, lib, e);
    arena_fini(&a);
    return code;
}
