/* SPDX-License-Identifier: MIT */
/* bad.c - connectors with one fault each: a -D replaces one member of a sound table. */
#include <syncline/syncline.h>

#ifndef SYMBOL
#define SYMBOL syncline_plugin
#endif
#ifndef SIZE
#define SIZE sizeof(struct sl_plugin)
#endif
#ifndef MAJOR
#define MAJOR SL_ABI_MAJOR
#endif
#ifndef NAME
#define NAME "bad"
#endif
#ifndef CAPS
#define CAPS 0
#endif
#ifndef NEEDS
#define NEEDS 0
#endif
#ifndef OPTION_SIZE
#define OPTION_SIZE sizeof(struct sl_option)
#endif
#ifndef OPTION_NAME
#define OPTION_NAME "root"
#endif
#ifndef OPTION_KIND
#define OPTION_KIND SL_OPT_STRING
#endif
#ifndef PULL
#define PULL do_pull
#endif

static int do_open(const struct sl_host *host, const struct sl_settings *settings, void **session)
{
    (void)host;
    (void)settings;
    *session = 0;
    return SL_OK;
}

static void do_close(void *session)
{
    (void)session;
}

static int do_check(void *session)
{
    (void)session;
    return SL_OK;
}

static int do_describe(void *session, const char *object)
{
    (void)session;
    (void)object;
    return SL_OK;
}

#ifdef MISSING
int missing_function(void *session, const struct sl_pull *pull);
#define do_pull missing_function
#else
__attribute__((unused)) static int do_pull(void *session, const struct sl_pull *pull)
{
    (void)session;
    (void)pull;
    return SL_OK;
}
#endif

static const struct sl_option options[] = {{.name = OPTION_NAME, .kind = OPTION_KIND}};

SL_EXPORT const struct sl_plugin SYMBOL = {
    .size = SIZE,
    .abi_major = MAJOR,
    .abi_minor = SL_ABI_MINOR,
    .name = NAME,
    .version = "0.1",
    .caps = CAPS,
    .needs = NEEDS,
    .options = options,
    .n_options = 1,
    .option_size = OPTION_SIZE,
    .open = do_open,
    .close = do_close,
    .check = do_check,
    .describe = do_describe,
    .pull = PULL,
};
