/* SPDX-License-Identifier: MIT */
/* loader.h - finds connectors, loads them through dlopen, negotiates the ABI. */
#ifndef PLUGIN_LOADER_H
#define PLUGIN_LOADER_H

#include "base/err.h"
#include "base/mem.h"
#include "plugin/proof.h"
#include "syncline/plugin.h"

struct plugin_lib; /* a loaded shared object */

/*
 * Negotiates a table (pure): refuses another major, a table too small for 1.0, a missing need, a bad name; zeroes *out
 * and copies the smaller size. Sentences name both versions. Returns 0 or ERR_CONFIG.
 */
int plugin_negotiate(const struct sl_plugin *theirs, const char *file, uint64_t services, struct sl_plugin *out,
                     struct err *e);

/*
 * Opens FILE for loading, which must be a whole shared object owned by root or us, in a folder of theirs, not writable by others; and, where
 * sha256 is not NULL, have that SHA-256 (64 hex digits). Out: *fd, the caller's, above 9. 0 or ERR_CONFIG.
 */
int plugin_open(const char *file, const char *sha256, int *fd, struct err *e);
/* Loads what is open, whose name is FILE, after the same checks of the file; takes fd. RTLD_NOW | RTLD_LOCAL. Out: *lib. */
int plugin_load_open(const char *file, const char *sha256, int fd, struct plugin_lib **lib, struct err *e);
/* Both, whatever its SHA-256. */
int plugin_load(const char *file, struct plugin_lib **lib, struct err *e);
void plugin_unload(struct plugin_lib *lib); /* accepts NULL; a file loaded twice is one lib, unloaded twice */
/*
 * A lib of a table that came another way, as from a connector in a process of its own; drop frees it. The table is negotiated (see above)
 * by whoever made it; its capabilities are lessened to what is proven of the file, which is open as fd: that stays the caller's.
 */
struct plugin_lib *plugin_adopt(const char *file, int fd, struct sl_plugin *table,
                                void (*drop)(struct sl_plugin *table));
/* Its capabilities are the weaker of what the connector declares and what certify has proven of this very file. */
const struct sl_plugin *plugin_table(const struct plugin_lib *lib);
const struct sl_plugin *plugin_declared(const struct plugin_lib *lib); /* for certify: as it is declared */
struct proof plugin_proof(const struct plugin_lib *lib);
const char *plugin_file(const struct plugin_lib *lib);
/* Option i of a table whose options may be of another size; a zero-filled copy of ours. */
struct sl_option plugin_option(const struct sl_plugin *p, uint32_t i);
/* Likewise its rules of HTTP; all zero if it has none. */
struct sl_http_rules plugin_http_rules(const struct sl_plugin *p);

/* Folders searched in order: `folders` (the config's), then plugins/ and ../lib/syncline/plugins/ beside the executable. */
struct plugin_path {
    const char **folders;
    size_t n_folders;
};
void plugin_path_init(struct plugin_path *path, struct arena *a, const char *const *config_folders, size_t n);
/* The file of NAME.so along the path, in the arena; ERR_CONFIG names the folders searched and the nearest name there. */
int plugin_locate(const struct plugin_path *path, const char *name, struct arena *a, const char **file, struct err *e);
/* Finds it and loads it. */
int plugin_find(const struct plugin_path *path, const char *name, struct plugin_lib **lib, struct err *e);
/* Lists the files *.so along the path, first of each name only; full paths in the arena. */
size_t plugin_list(const struct plugin_path *path, struct arena *a, const char ***files);

#endif
