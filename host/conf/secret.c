/* SPDX-License-Identifier: MIT */
/* secret.c - reads the secret behind a reference: environment, protected file, systemd credential; a literal is refused unsaid. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "conf/load.h"

enum { SECRET_BYTES_MAX = 64 << 10 };

/* Texts say where the secret should be, never what was found there. */
static const char *from_env(struct load *l, const struct json *node, const char *name)
{
    const char *value = getenv(name);
    if (value && *value)
        return arena_text(&l->conf->arena, value);
    problem_at(&l->problems, node, AT_VALUE, "the environment variable %s is %s; set it for this command", name,
               value ? "empty" : "not set");
    return NULL;
}

static bool check_stat(struct load *l, const struct json *node, const char *path, const struct stat *st)
{
    struct problems *p = &l->problems;
    if (!S_ISREG(st->st_mode))
        problem_at(p, node, AT_VALUE, "%s is no regular file; name the file that holds the secret", path);
    else if (st->st_uid != 0 && st->st_uid != geteuid())
        problem_at(p, node, AT_VALUE, "%s belongs to user %u, neither root nor you; chown it", path, st->st_uid);
    else if (st->st_mode & 077)
        problem_at(p, node, AT_VALUE, "%s may be used by others (its mode is %04o); chmod 600 it", path,
                   (unsigned)st->st_mode & 07777);
    else if (st->st_size > SECRET_BYTES_MAX)
        problem_at(p, node, AT_VALUE, "%s is longer than %d KiB; name the file that holds only the secret", path,
                   SECRET_BYTES_MAX >> 10);
    else
        return true;
    return false;
}

/* Everything up to the last line's end; NULL if it is empty or no text. */
static const char *clean(struct load *l, char *text, size_t n)
{
    size_t bad = 0;
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    text[n] = '\0';
    return n && utf8_valid(text, n, &bad) ? arena_text(&l->conf->arena, text) : NULL;
}

/* The checked file is the read file: it is opened first. */
static const char *read_secret(struct load *l, const struct json *node, const char *path, bool check)
{
    struct stat st = {0};
    const char *secret = NULL;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ELOOP)
        problem_at(&l->problems, node, AT_VALUE, "%s is a symbolic link; name the file itself", path);
    else if (fd < 0 || fstat(fd, &st) != 0)
        problem_at(&l->problems, node, AT_VALUE, "%s: %s; name the file that holds the secret", path, strerror(errno));
    else if (!check || check_stat(l, node, path, &st)) {
        text = mem_alloc(SECRET_BYTES_MAX + 1);
        ssize_t n = read(fd, text, SECRET_BYTES_MAX);
        secret = n > 0 ? clean(l, text, (size_t)n) : NULL;
        if (!secret)
            problem_at(&l->problems, node, AT_VALUE, "%s holds no text; write the secret into it", path);
        explicit_bzero(text, SECRET_BYTES_MAX);
    }
    mem_free(text);
    if (fd >= 0)
        close(fd);
    return secret;
}

static const char *from_file(struct load *l, const struct json *node, const char *name)
{
    return read_secret(l, node, load_path(l, name), true);
}

/* systemd itself guards the folder: modes there are its own affair. */
static const char *from_credential(struct load *l, const struct json *node, const char *name)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (strchr(name, '/') || name[0] == '.') {
        problem_at(&l->problems, node, AT_VALUE,
                   "the name of a credential has no folder; write it as in LoadCredential=");
        return NULL;
    }
    if (folder && folder[0] == '/')
        return read_secret(l, node, arena_printf(&l->conf->arena, "%s/%s", folder, name), false);
    problem_at(&l->problems, node, AT_VALUE,
               "there are no systemd credentials here (CREDENTIALS_DIRECTORY is not set); start it as a service with "
               "LoadCredential=%s:PATH, or use \"file\"",
               name);
    return NULL;
}

static const struct {
    const char *key;
    const char *(*read)(struct load *l, const struct json *node, const char *name);
} references[] = {{"env", from_env}, {"file", from_file}, {"credential", from_credential}};

/* The one reference an object has, or NULL. */
static const struct json *only_child(const struct json *node)
{
    return json_type(node) == JSON_OBJECT && json_count(node) == 1 ? json_first(node) : NULL;
}

const char *secret_read(struct load *l, const struct json *node)
{
    const struct json *child = only_child(node);
    for (size_t i = 0; child && i < sizeof(references) / sizeof(*references); i++) {
        if (strcmp(json_key(child), references[i].key) != 0)
            continue;
        const char *secret =
            keys_string(&l->problems, child) ? references[i].read(l, child, json_text(child, NULL)) : NULL;
        if (secret)
            log_secret(secret);
        return secret;
    }
    problem_at(
        &l->problems, node, AT_VALUE,
        "a secret does not stand in the config; write {\"env\": NAME}, {\"file\": PATH} or {\"credential\": NAME}");
    return NULL;
}
