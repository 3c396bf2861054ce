/* SPDX-License-Identifier: MIT */
/* watch.c - tells when the config may have been edited, or a connector put into a plugin folder. */
#include "daemon/watch.h"

#include <libgen.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/mem.h"

/* Whole files only: written and closed, or moved there. */
enum { FILE_IS_THERE = IN_CLOSE_WRITE | IN_MOVED_TO };

void watch_open(struct watch *w, const char *config)
{
    *w = (struct watch){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    char *folder = mem_dup(config), *name = mem_dup(config);
    w->name = mem_dup(basename(name));
    w->config = inotify_add_watch(w->fd, dirname(folder), FILE_IS_THERE);
    mem_free(folder);
    mem_free(name);
}

/* A folder that is the config's as well keeps its one watch. */
void watch_plugins(struct watch *w, const char *const *folders, size_t n)
{
    for (size_t i = 0; i < w->n_plugins; i++)
        if (w->plugins[i] >= 0 && w->plugins[i] != w->config)
            inotify_rm_watch(w->fd, w->plugins[i]);
    w->plugins = mem_grow(w->plugins, (n + 1) * sizeof(*w->plugins));
    w->n_plugins = n;
    for (size_t i = 0; i < n; i++)
        w->plugins[i] = inotify_add_watch(w->fd, folders[i], FILE_IS_THERE);
}

static bool ends_in(const char *name, const char *tail)
{
    size_t n = strlen(name), m = strlen(tail);
    return n >= m && strcmp(name + n - m, tail) == 0;
}

/* A config that is a link into a folder that is swapped ("..data") is edited when that folder is. */
static unsigned meaning(const struct watch *w, const struct inotify_event *event)
{
    const char *name = event->len ? event->name : "";
    unsigned change = 0;
    if (event->wd == w->config && (strcmp(name, w->name) == 0 || strncmp(name, "..", 2) == 0))
        change |= WATCH_CONFIG;
    for (size_t i = 0; i < w->n_plugins; i++)
        if (event->wd == w->plugins[i] && ends_in(name, ".so"))
            change |= WATCH_PLUGINS;
    return event->mask & IN_Q_OVERFLOW ? WATCH_CONFIG | WATCH_PLUGINS : change;
}

unsigned watch_read(struct watch *w)
{
    _Alignas(struct inotify_event) char events[4096];
    unsigned change = 0;
    ssize_t n = 0;
    while (w->fd >= 0 && (n = read(w->fd, events, sizeof events)) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(events + at);
            change |= meaning(w, event);
            at += (ssize_t)(sizeof *event + event->len);
        }
    return change;
}

void watch_close(struct watch *w)
{
    if (w->fd >= 0)
        close(w->fd);
    mem_free(w->name);
    mem_free(w->plugins);
    *w = (struct watch){.fd = -1};
}
