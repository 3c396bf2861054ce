/* SPDX-License-Identifier: MIT */
/* hostile.h - a connector that is whole but for what it does in a pull or a write, which is the including file's to say. */
#ifndef TESTS_RUNNER_HOSTILE_H
#define TESTS_RUNNER_HOSTILE_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <syncline/syncline.h>

#ifndef SUMMARY
#define SUMMARY "does what no connector may"
#endif

/* Further members of its table. */
#ifndef MORE
#define MORE
#endif

/* What it does otherwise than most. */
#ifndef CAPS
#define CAPS SL_CAP_COMPLETE | SL_CAP_CREATE
#endif
#ifndef DESCRIBE
#define DESCRIBE describe_it
#endif
#ifndef WRITE
#define WRITE write_it
#endif

/* What a file does in each pull. Returns what the pull returns. */
static int act(const struct sl_host *host);

static inline int end_page(const struct sl_host *host)
{
    const struct sl_page page = {.size = sizeof page, .kind = SL_PAGE_COMPLETE};
    host->page(host->ctx, &page);
    return SL_OK;
}

/* Tells in words how an attempt ended. */
static inline int tell(const struct sl_host *host, const char *what, int got)
{
    char line[200];
    snprintf(line, sizeof line, "%s: %s", what, got < 0 ? strerror(errno) : "it worked");
    host->fail(host->ctx, line);
    return SL_BROKEN;
}

/* How many settings it was given. */
static uint32_t n_given;

static int open_it(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    n_given = settings->n_values;
    *session = (void *)host;
    return SL_OK;
}

static void close_it(void *session)
{
    (void)session;
}

static int check_it(void *session)
{
    (void)session;
    return SL_OK;
}

static inline int describe_it(void *session, const char *object)
{
    const struct sl_host *host = session;
    static const struct sl_field title = {.name = "title", .type = SL_STRING, .flags = SL_FIELD_WRITABLE};
    const struct sl_object o = {.size = sizeof o,
                                .id_rule = SL_ID_SERVER,
                                .name = "o",
                                .caps = SL_CAP_COMPLETE | SL_CAP_CREATE,
                                .fields = &title,
                                .n_fields = 1,
                                .field_size = sizeof title};
    if (!object || strcmp(object, "o") == 0)
        host->object(host->ctx, &o);
    return SL_OK;
}

static int pull_it(void *session, const struct sl_pull *pull)
{
    (void)pull;
    return act(session);
}

/* Tells the first write of a batch, and dies before the second. */
static inline int write_it(void *session, const struct sl_batch *batch)
{
    const struct sl_host *host = session;
    const struct sl_outcome first = {.size = sizeof first, .result = SL_APPLIED};
    host->outcome(host->ctx, &first);
    if (batch->n_writes > 1)
        abort();
    return SL_OK;
}

SL_EXPORT const struct sl_plugin syncline_plugin = {.size = sizeof syncline_plugin,
                                                    .abi_major = SL_ABI_MAJOR,
                                                    .abi_minor = SL_ABI_MINOR,
                                                    .name = NAME,
                                                    .version = "1",
                                                    .summary = SUMMARY,
                                                    .caps = CAPS,
                                                    .open = open_it,
                                                    .close = close_it,
                                                    .check = check_it,
                                                    .describe = DESCRIBE,
                                                    .pull = pull_it,
                                                    .write = WRITE,
                                                    MORE};

#endif
