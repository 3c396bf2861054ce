/* SPDX-License-Identifier: MIT */
/* negotiate.c - decides from a connector's table alone whether this host can take it. */
#include <string.h>

#include "base/text.h"
#include "plugin/inside.h"
#include "plugin/loader.h"

enum { NAME_MAX_BYTES = 64, OPTIONS_MAX = 1000, OPTION_SIZE_MAX = 4096 };

static const struct {
    uint64_t bit;
    const char *name;
} services_known[] = {{SL_NEED_JSON, "json"}, {SL_NEED_HTTP, "http"}, {SL_NEED_SIGNATURE, "signature"}};

/* "json, http" or "number 17" for the services of a mask. */
static void put_services(struct buf *out, uint64_t mask)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        if (!(mask & (1ULL << bit)))
            continue;
        buf_text(out, out->size ? ", " : "");
        if (bit < sizeof(services_known) / sizeof(*services_known))
            buf_text(out, services_known[bit].name);
        else
            buf_printf(out, "number %u", bit);
    }
}

static int check_version(const struct sl_plugin *p, const char *file, struct err *e)
{
    size_t size_1_0 = SIZE_1_0(struct sl_plugin, webhook);
    if (p->abi_major != SL_ABI_MAJOR)
        return err_set(e, ERR_CONFIG,
                       "%s: it is built for connector ABI %u.%u, this host has %d.%d; rebuild it with this host's SDK",
                       file, p->abi_major, p->abi_minor, SL_ABI_MAJOR, SL_ABI_MINOR);
    if (p->size < size_1_0)
        return err_set(e, ERR_CONFIG,
                       "%s: its table has %u bytes and says ABI %u.%u; ABI 1.0 has %zu bytes (this host: %d.%d); "
                       "rebuild it with the SDK's headers",
                       file, p->size, p->abi_major, p->abi_minor, size_1_0, SL_ABI_MAJOR, SL_ABI_MINOR);
    return 0;
}

static bool name_valid(const char *name)
{
    size_t n = name ? strnlen(name, NAME_MAX_BYTES + 1) : 0;
    return n && n <= NAME_MAX_BYTES && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

/* The file's name without folder and ".so"; the name in the table must be the same, or the config would mislead. */
static bool file_named(const char *file, const char *name)
{
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file;
    size_t n = strlen(name);
    return strncmp(base, name, n) == 0 && strcmp(base + n, ".so") == 0;
}

static int check_name(const struct sl_plugin *p, const char *file, struct err *e)
{
    if (!name_valid(p->name))
        return err_set(e, ERR_CONFIG,
                       "%s: its name is not made of 1 to %d lower case letters, digits and '-'; tell its author", file,
                       NAME_MAX_BYTES);
    if (!file_named(file, p->name))
        return err_set(e, ERR_CONFIG, "%s: it calls itself '%s'; name the file %s.so", file, p->name, p->name);
    return 0;
}

static int check_needs(const struct sl_plugin *p, const char *file, uint64_t services, struct err *e)
{
    uint64_t missing = p->needs & ~services;
    if (!missing)
        return 0;
    struct buf names = {0};
    put_services(&names, missing);
    err_set(
        e, ERR_CONFIG,
        "%s: connector %s %s (ABI %u.%u) needs services this host (ABI %d.%d) does not offer: %s; use a newer syncline",
        file, p->name, p->version, p->abi_major, p->abi_minor, SL_ABI_MAJOR, SL_ABI_MINOR, names.data);
    buf_fini(&names);
    return ERR_CONFIG;
}

/* What is declared must be there: the call behind each capability, and those every connector has. */
static int check_calls(const struct sl_plugin *p, const char *file, struct err *e)
{
    const struct {
        uint64_t caps;
        bool there;
        const char *name;
    } calls[] = {
        {0, p->open, "open"},
        {0, p->close, "close"},
        {0, p->check, "check"},
        {0, p->describe, "describe"},
        {0, p->pull, "pull"},
        {SL_CAP_GET, p->get, "get"},
        {SL_CAP_FIND_CORRELATION | SL_CAP_FIND_KEY, p->find, "find"},
        {SL_CAP_CREATE | SL_CAP_UPDATE | SL_CAP_DELETE | SL_CAP_ARCHIVE, p->write, "write"},
        {SL_CAP_WEBHOOK, p->webhook, "webhook"},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
        if (!calls[i].there && (!calls[i].caps || (p->caps & calls[i].caps)))
            return err_set(e, ERR_CONFIG,
                           "%s: connector %s %s has no %s, but must by what it declares; tell its author", file,
                           p->name, p->version, calls[i].name);
    return 0;
}

static int check_options(const struct sl_plugin *p, const char *file, struct err *e)
{
    if (!p->n_options)
        return 0;
    if (!p->options || p->n_options > OPTIONS_MAX || p->option_size < SIZE_1_0(struct sl_option, help) ||
        p->option_size > OPTION_SIZE_MAX || p->option_size % _Alignof(struct sl_option) != 0)
        return err_set(e, ERR_CONFIG,
                       "%s: its options cannot be read: %u of them, %u bytes apart (ABI 1.0: %zu); tell its author",
                       file, p->n_options, p->option_size, SIZE_1_0(struct sl_option, help));
    for (uint32_t i = 0; i < p->n_options; i++) {
        struct sl_option o = plugin_option(p, i);
        if (!o.name || !*o.name)
            return err_set(e, ERR_CONFIG, "%s: its option %u has no name; tell its author", file, i);
        if (o.kind < SL_OPT_STRING || o.kind > SL_OPT_AUTH)
            return err_set(e, ERR_CONFIG,
                           "%s: its option '%s' is of kind %u (ABI %u.%u), which this host (ABI %d.%d) does not know; "
                           "use a newer syncline",
                           file, o.name, o.kind, p->abi_major, p->abi_minor, SL_ABI_MAJOR, SL_ABI_MINOR);
    }
    return 0;
}

struct sl_option plugin_option(const struct sl_plugin *p, uint32_t i)
{
    struct sl_option ours = {0};
    size_t n = p->option_size < sizeof(ours) ? p->option_size : sizeof(ours);
    memcpy(&ours, (const char *)p->options + (size_t)p->option_size * i, n);
    return ours;
}

struct sl_http_rules plugin_http_rules(const struct sl_plugin *p)
{
    struct sl_http_rules ours = {0};
    if (p->http)
        memcpy(&ours, p->http, p->http->size < sizeof(ours) ? p->http->size : sizeof(ours));
    return ours;
}

/* Order is important: nothing behind a wrong major or a short table may be read. */
int plugin_negotiate(const struct sl_plugin *theirs, const char *file, uint64_t services, struct sl_plugin *out,
                     struct err *e)
{
    memset(out, 0, sizeof(*out));
    if (check_version(theirs, file, e))
        return ERR_CONFIG;
    memcpy(out, theirs, theirs->size < sizeof(*out) ? theirs->size : sizeof(*out));
    out->size = sizeof(*out);
    out->version = out->version ? out->version : "";
    out->summary = out->summary ? out->summary : "";
    if (check_name(out, file, e) || check_needs(out, file, services, e) || check_calls(out, file, e) ||
        check_options(out, file, e))
        return ERR_CONFIG;
    return 0;
}
